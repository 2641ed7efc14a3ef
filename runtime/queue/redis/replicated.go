package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/mutant"
)

// runReplicated calls a script and has its write confirmed by the replicas, in
// one pipeline: WAIT covers what was written on its own connection and no other.
// Too few confirmations leave the outcome unknown: the write is on the master,
// and the call that is repeated waits for it once more.
func (d *Driver) runReplicated(ctx context.Context, s *script, args, bodies []any) (any, error) {
	node, err := d.master(ctx)
	if err != nil {
		return nil, err
	}
	return d.loaded(ctx, func() (any, error) { return d.confirmed(ctx, node, s, args, bodies) })
}

// master is the client of the node that holds the store.
func (d *Driver) master(ctx context.Context) (*goredis.Client, error) {
	switch c := d.rdb.(type) {
	case *goredis.Client:
		return c, nil
	case *goredis.ClusterClient:
		node, err := c.MasterForKey(ctx, d.keys.prefix)
		if err != nil {
			return nil, d.verdict(err)
		}
		return node, nil
	}
	return nil, errors.New("replicas=N is not possible with this kind of redis URL")
}

// confirmed sends the script and the command that waits, and judges both.
func (d *Driver) confirmed(ctx context.Context, node *goredis.Client, s *script, args, bodies []any) (any, error) {
	eval := append([]any{"evalsha", s.sha, 1, d.keys.prefix}, args...)
	pipe := node.Pipeline()
	var parts []*goredis.Cmd // the first error of them tells why
	if len(bodies) > 0 {
		parts = append(parts, pipe.Do(ctx, "multi"), pipe.Do(ctx, append([]any{"msetnx"}, bodies...)...), pipe.Do(ctx, eval...), pipe.Do(ctx, "exec"))
	} else {
		parts = append(parts, pipe.Do(ctx, eval...))
	}
	var wait *goredis.Cmd
	if !mutant.On(mutant.M9) {
		wait = pipe.Do(ctx, d.waiting()...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		for _, c := range parts {
			if why := c.Err(); why != nil && !strings.HasPrefix(why.Error(), "EXECABORT") {
				d.movedAway(ctx, why)
				return nil, why
			}
		}
		if why := parts[len(parts)-1].Err(); why != nil {
			return nil, why
		}
	}
	answer := parts[len(parts)-1].Val()
	if len(bodies) > 0 {
		list, ok := answer.([]any)
		if !ok || len(list) != 2 {
			return nil, fmt.Errorf("%w: a transaction was answered with %T", errUnknown, answer)
		}
		if why, bad := list[1].(error); bad {
			if strings.HasPrefix(why.Error(), "CDLOST") {
				d.dropBodies(ctx, bodies)
			}
			return nil, why
		}
		answer = list[1]
	}
	if wait == nil {
		wait = node.Do(ctx, d.waiting()...)
	}
	return answer, d.enough(wait)
}

// waiting is the command that waits for replicas.
func (d *Driver) waiting() []any {
	ms := (ioTimeout / 2).Milliseconds()
	if d.opts.Synced {
		return []any{"waitaof", 1, d.opts.Replicas, ms}
	}
	return []any{"wait", d.opts.Replicas, ms}
}

// enough judges the answer of that command.
func (d *Driver) enough(wait *goredis.Cmd) error {
	if err := wait.Err(); err != nil {
		return fmt.Errorf("%w: wait for replicas: %w", errUnknown, err)
	}
	if !d.opts.Synced {
		n, err := wait.Int()
		if err != nil || n < d.opts.Replicas {
			return fmt.Errorf("%w: %d of %d replicas confirmed the write in time", errUnknown, n, d.opts.Replicas)
		}
		return nil
	}
	n, err := wait.Int64Slice()
	if err != nil || len(n) != 2 {
		return fmt.Errorf("%w: WAITAOF was answered with %v", errUnknown, wait.Val())
	}
	if n[0] < 1 || n[1] < int64(d.opts.Replicas) {
		return fmt.Errorf("%w: the write is on the disks of %d masters and %d of %d replicas", errUnknown, n[0], n[1], d.opts.Replicas)
	}
	return nil
}

// movedAway makes the client look for the node of the store again.
func (d *Driver) movedAway(ctx context.Context, err error) {
	if c, ok := d.rdb.(*goredis.ClusterClient); ok && (strings.HasPrefix(err.Error(), "MOVED") || strings.HasPrefix(err.Error(), "READONLY")) {
		c.ReloadState(ctx)
	}
}

// dropBodies removes bodies that are all there is in a store that was emptied.
func (d *Driver) dropBodies(ctx context.Context, bodies []any) {
	for i := 0; i < len(bodies); i += 2 {
		d.rdb.Unlink(ctx, bodies[i].(string))
	}
}
