package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// gone is what PTTL says of a key that is not there; of one without an end it
// says -1.
const gone = -2

// Get returns state values; see queue.Driver.
func (d *Driver) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	if len(keys) == 0 {
		return nil, ctx.Err()
	}
	names := make([]string, 0, len(keys)+1)
	for _, k := range keys {
		names = append(names, d.keys.of("state", k))
	}
	var texts *goredis.SliceCmd
	left := make([]*goredis.DurationCmd, len(keys))
	if _, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		texts = p.MGet(ctx, append(names, d.keys.of("mark"))...)
		for i, name := range names[:len(keys)] {
			left[i] = p.PTTL(ctx, name) // behind the value: who goes by the time of one written in between is refused by the version
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read state from redis: %w", d.verdict(err))
	}
	found := texts.Val()
	if mark, _ := found[len(keys)].(string); mark != d.mark {
		return nil, d.fail(lostMessage)
	}
	values := make([]queue.Value, len(keys))
	for i, k := range keys {
		values[i].Key = k
		stored, ok := found[i].(string)
		if !ok || left[i].Val() == gone {
			continue
		}
		version, data, _ := strings.Cut(stored, ":")
		var err error
		if values[i].Version, err = strconv.ParseInt(version, 10, 64); err != nil {
			return nil, fmt.Errorf("state %q in redis: %w", k, errRecord)
		}
		values[i].Data, values[i].Left = []byte(data), max(left[i].Val(), 0)
	}
	return values, nil
}

// Watch signals after a Put of key; see queue.Driver. It also signals when the
// connection to Redis was renewed, for a Put may have been missed.
func (d *Driver) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	sub := d.rdb.Subscribe(ctx, d.keys.of("watch", key))
	if _, err := sub.Receive(ctx); err != nil {
		d.end()
		_ = sub.Close() // the error above is the one to tell
		return nil, fmt.Errorf("watch redis: %w", err)
	}
	out := make(chan struct{}, 1)
	go func() {
		defer d.end()
		defer close(out)
		defer sub.Close()
		news := sub.ChannelWithSubscriptions()
		for {
			select {
			case <-ctx.Done():
				return
			case <-d.closing:
				return
			case _, ok := <-news:
				if !ok {
					return
				}
				select {
				case out <- struct{}{}:
				default:
				}
			}
		}
	}()
	return out, nil
}

// Identity reads what this store is known by; see queue.Shared.
func (d *Driver) Identity(ctx context.Context) (queue.Identity, error) {
	if err := d.begin(); err != nil {
		return queue.Identity{}, err
	}
	defer d.end()
	found, err := d.rdb.MGet(ctx, d.keys.of("mark"), d.keys.of("seq")).Result()
	if err != nil {
		return queue.Identity{}, fmt.Errorf("read the identity of the store: %w", d.verdict(err))
	}
	id := queue.Identity{Lost: d.wentBack.Load()}
	if id.Mark, _ = found[0].(string); id.Mark != d.mark {
		return id, d.fail(lostMessage)
	}
	if text, ok := found[1].(string); ok {
		if id.Jobs, err = strconv.ParseUint(text, 10, 64); err != nil {
			return id, fmt.Errorf("the number of the last job in redis: %w", errRecord)
		}
	}
	return id, nil
}
