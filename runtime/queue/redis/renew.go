package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// renewSlice is how many jobs one Sweep looks at.
const renewSlice = 200

// renewal keeps the history of messages that are still open: a dead letter may
// wait for longer than history is kept. In every eighth of the keeping time one
// of the replicas goes through the jobs, oldest first, as far as they are older
// than that, and renews the time to live of their histories and references.
type renewal struct {
	mu     sync.Mutex
	active bool
	after  string
	next   time.Time // when this process asks again whose turn it is
}

// renewOpen does one slice of the work, if there is any.
func (d *Driver) renewOpen(ctx context.Context) error {
	r := &d.renewal
	if !r.mu.TryLock() {
		return nil // another Sweep is at it
	}
	defer r.mu.Unlock()
	every := d.opts.KeepHistory / 8
	now := time.Now()
	if !r.active {
		if now.Before(r.next) {
			return nil
		}
		r.next = now.Add(every / 4)
		mine, err := d.rdb.SetNX(ctx, d.keys.of("renewal"), d.session, every).Result()
		if err != nil {
			return fmt.Errorf("renew history in redis: %w", d.verdict(err))
		}
		if !mine {
			return nil
		}
		r.active, r.after = true, ""
	}
	page, err := d.browseJobs(ctx, queue.Query{Limit: renewSlice, After: r.after})
	if err != nil {
		return fmt.Errorf("renew history in redis: %w", err)
	}
	roots := map[string]bool{}
	for _, j := range page.Jobs {
		if now.Sub(j.Enqueued) < every {
			page.Next = "" // younger ones follow; their history has its time yet
			break
		}
		roots[queue.Root(j.ID)] = true
	}
	if err := d.renewFamilies(ctx, roots); err != nil {
		return fmt.Errorf("renew history in redis: %w", err)
	}
	r.after, r.active = page.Next, page.Next != ""
	return nil
}

func (d *Driver) renewFamilies(ctx context.Context, roots map[string]bool) error {
	if len(roots) == 0 {
		return nil
	}
	found := make(map[string]*goredis.StringSliceCmd, len(roots))
	_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for root := range roots {
			found[root] = p.LRange(ctx, d.keys.of("history", root), 0, -1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	ttl := d.opts.KeepHistory + d.opts.KeepHistory/4
	_, err = d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for root, list := range found {
			p.PExpire(ctx, d.keys.of("history", root), ttl)
			for _, stored := range list.Val() {
				for _, ref := range readEntry(root, stored).Refs {
					p.PExpire(ctx, d.keys.of("ref", ref.Value), ttl)
				}
			}
		}
		return nil
	})
	return err
}
