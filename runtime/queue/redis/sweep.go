package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// sweepSlice bounds how many jobs one script call moves.
const sweepSlice = 500

// ahead is from when on a Sweep's time counts as travel, not as the slowness of
// the caller.
const ahead = 500 * time.Millisecond

// Extend moves the deadline of leases; see queue.Driver.
func (d *Driver) Extend(ctx context.Context, ls []queue.Lease, ttl time.Duration) error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.end()
	if len(ls) == 0 {
		return ctx.Err()
	}
	args := []any{d.mark, ttl.Microseconds()}
	for i := range ls {
		args = append(args, ls[i].ID, ls[i].Epoch)
	}
	var lost int64
	err := d.attempt(ctx, func(ctx context.Context) error {
		v, err := d.run(ctx, extendScript, args)
		lost, _ = v.(int64)
		return err
	})
	if err != nil {
		return fmt.Errorf("extend leases in redis: %w", err)
	}
	if lost > 0 {
		return queue.ErrLeaseLost
	}
	return nil
}

// Sweep moves what is due; see queue.Driver. Only the distance of now from the
// clock of this process is read, so a wrong clock does no harm. What has a time
// to live is forgotten by Redis itself; only a now well ahead of the clock makes
// Sweep remove it.
func (d *Driver) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	var total queue.Swept
	if err := d.begin(); err != nil {
		return total, err
	}
	defer d.end()
	travel := time.Until(now)
	for {
		v, err := d.run(ctx, sweepScript, []any{d.mark, travel.Microseconds(), sweepSlice})
		if err != nil {
			return total, fmt.Errorf("sweep redis: %w", err)
		}
		list, ok := v.([]any)
		if !ok || len(list) != 4 {
			return total, fmt.Errorf("sweep redis: %w", errRecord)
		}
		due, _ := list[0].(int64)
		expired, _ := list[1].(int64)
		total.Due += int(due)
		total.Expired += int(expired)
		lanes, _ := list[3].([]any)
		for _, lane := range lanes {
			d.lease.wake(fmt.Sprint(lane))
		}
		if due == sweepSlice || expired == sweepSlice {
			if ctx.Err() != nil {
				return total, ctx.Err()
			}
			continue
		}
		text, _ := list[2].(string)
		if us, err := strconv.ParseInt(text, 10, 64); err == nil && us >= 0 {
			total.Next = now.Add(time.Duration(us) * time.Microsecond)
		}
		break
	}
	if travel > ahead {
		return total, d.forget(ctx, travel)
	}
	return total, d.renewOpen(ctx)
}

// forget removes keys whose time to live ends within the next ttl.
func (d *Driver) forget(ctx context.Context, ttl time.Duration) error {
	kinds := []string{d.keys.of("dedupe"), d.keys.of("history"), d.keys.of("ref"), d.keys.of("state")}
	err := d.scan(ctx, d.keys.prefix+"*", func(keys []string) error {
		keys = slices.DeleteFunc(keys, func(k string) bool {
			return !slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(k, kind) })
		})
		if len(keys) == 0 {
			return nil
		}
		return d.forgetKeys(ctx, keys, ttl)
	})
	if err != nil {
		return fmt.Errorf("sweep redis: %w", err)
	}
	return nil
}

func (d *Driver) forgetKeys(ctx context.Context, keys []string, ttl time.Duration) error {
	left := make([]*goredis.DurationCmd, len(keys))
	_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, k := range keys {
			left[i] = p.PTTL(ctx, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var gone []string
	for i, k := range keys {
		if t := left[i].Val(); t >= 0 && t <= ttl {
			gone = append(gone, k)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return d.rdb.Unlink(ctx, gone...).Err()
}

// scan calls f with the keys that match, in slices.
func (d *Driver) scan(ctx context.Context, match string, f func(keys []string) error) error {
	node, err := d.node(ctx)
	if err != nil {
		return err
	}
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, match, 1000).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := f(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// node is the server that holds the shard.
func (d *Driver) node(ctx context.Context) (goredis.Cmdable, error) {
	if c, ok := d.rdb.(*goredis.ClusterClient); ok {
		return c.MasterForKey(ctx, d.keys.of("mark"))
	}
	return d.rdb, nil
}
