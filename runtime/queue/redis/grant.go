package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"crossdock/runtime/queue"
)

// call runs the lease script and fills in the bodies.
func (l *leaser) call(asks []ask) ([][]queue.Lease, error) {
	if err := l.settle(); err != nil {
		return nil, err
	}
	l.no++
	args := []any{l.d.mark, l.d.session, l.no, 0}
	for _, a := range asks {
		args = append(args, a.lane, a.max, a.ttl.Microseconds())
	}
	lists, versions, err := l.ask(args)
	if errors.Is(err, errUnknown) {
		args[3] = 1
		l.doubt = args
	}
	if err != nil {
		return nil, err
	}
	return lists, l.fill(lists, versions)
}

// settle repeats a call whose answer never came and gives back what it granted:
// nobody works on that, and its keys would stand still until the leases run out.
func (l *leaser) settle() error {
	if l.doubt == nil {
		return nil
	}
	lists, _, err := l.ask(l.doubt)
	if err != nil {
		return err
	}
	l.doubt = nil
	var back queue.Commit
	for _, list := range lists {
		for _, x := range list {
			back.Finish = append(back.Finish, queue.Finish{Lease: x, Outcome: queue.Release})
		}
	}
	if len(back.Finish) == 0 {
		return nil
	}
	p := &pending{commit: &back, done: make(chan struct{})}
	l.d.commit.add(p)
	<-p.done
	if p.err != nil && !errors.Is(p.err, queue.ErrLeaseLost) {
		return p.err
	}
	return nil
}

// ask sends the arguments of a lease call and reads its answer, without bodies.
func (l *leaser) ask(args []any) ([][]queue.Lease, [][]uint32, error) {
	want := (len(args) - 4) / 3
	var lists []any
	err := l.d.attempt(context.Background(), func(ctx context.Context) error {
		v, err := l.d.run(ctx, leaseScript, args)
		if err != nil {
			return err
		}
		var ok bool
		if lists, ok = v.([]any); !ok || len(lists) != want {
			return fmt.Errorf("redis gave %d answers to %d questions for leases", len(lists), want)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("lease from redis: %w", err)
	}
	out := make([][]queue.Lease, want)
	versions := make([][]uint32, want)
	for i, v := range lists {
		if out[i], versions[i], err = parseLeases(v); err != nil {
			return nil, nil, fmt.Errorf("lease from redis: %w", err)
		}
	}
	return out, versions, nil
}

// parseLeases reads (ID, record, epoch) triples. The second result is the
// version of each body.
func parseLeases(v any) ([]queue.Lease, []uint32, error) {
	list, ok := v.([]any)
	if !ok || len(list)%3 != 0 {
		return nil, nil, errRecord
	}
	leases := make([]queue.Lease, 0, len(list)/3)
	versions := make([]uint32, 0, len(list)/3)
	for i := 0; i < len(list); i += 3 {
		id, _ := list[i].(string)
		rec, _ := list[i+1].(string)
		epoch, _ := list[i+2].(string)
		r, err := parseRecord(rec)
		if err != nil {
			return nil, nil, fmt.Errorf("job %s: %w", id, err)
		}
		e, err := strconv.ParseUint(epoch, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("job %s: %w", id, errRecord)
		}
		leases = append(leases, queue.Lease{
			Job:      queue.Job{ID: id, Lane: r.Lane, Key: r.Key, Priority: r.Priority, NotBefore: r.Due},
			Slot:     r.Slot,
			Epoch:    e,
			Attempts: r.Attempts,
			Crashes:  r.Crashes,
			Enqueued: r.Enqueued,
		})
		versions = append(versions, r.Version)
	}
	return leases, versions, nil
}

// fill gives each lease its body, from memory where this process wrote it. A
// lease whose body is gone or damaged becomes a dead letter and is taken out.
func (l *leaser) fill(lists [][]queue.Lease, versions [][]uint32) error {
	d := l.d
	var missing []*queue.Lease
	var keys []string
	for i := range lists {
		for j := range lists[i] {
			x := &lists[i][j]
			if versions[i][j] == 0 {
				continue
			}
			if b, ok := d.bodies.take(x.Slot, versions[i][j]); ok {
				x.Body, x.Hint = b.body, b.hint
				continue
			}
			missing = append(missing, x)
			keys = append(keys, d.keys.body(x.Slot))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var found []any
	err := d.attempt(context.Background(), func(ctx context.Context) error {
		var err error
		if found, err = d.rdb.MGet(ctx, keys...).Result(); err != nil {
			return d.verdict(err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read bodies from redis: %w", err)
	}
	damaged := map[string]bool{}
	for i, x := range missing {
		stored, _ := found[i].(string)
		body, ok := openBody(x.ID, stored)
		if !ok {
			damaged[x.ID] = true
			continue
		}
		x.Body = body
	}
	if len(damaged) > 0 {
		l.quarantine(lists, damaged)
	}
	return nil
}

// damagedBox is the dead-letter box of jobs whose body cannot be read.
const damagedBox = "damaged"

func (l *leaser) quarantine(lists [][]queue.Lease, damaged map[string]bool) {
	d := l.d
	for i, list := range lists {
		keep := list[:0]
		for _, x := range list {
			if !damaged[x.ID] {
				keep = append(keep, x)
				continue
			}
			p := &pending{done: make(chan struct{}), commit: &queue.Commit{Finish: []queue.Finish{{
				Lease: x, Outcome: queue.Dead, Attempts: x.Attempts,
				Box: damagedBox, Reason: "the body of this message is missing from the store or damaged", Group: damagedBox,
			}}}}
			d.commit.add(p)
			<-p.done
			// A lost lease means that another replica holds the job by now.
			if p.err == nil {
				d.log.Error("a damaged message was set aside", "message", x.ID, "box", damagedBox)
			} else if !errors.Is(p.err, queue.ErrLeaseLost) {
				d.log.Error("a damaged message could not be set aside", "message", x.ID, "error", p.err)
			}
		}
		lists[i] = keep
	}
}
