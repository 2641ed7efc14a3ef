// Package play runs one plan on real processes and judges it.
package play

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/judge"
	"crossdock/bench/chaos/nemesis"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/record"
	"crossdock/bench/chaos/sender"
	"crossdock/bench/chaos/stage"
	"crossdock/bench/chaos/target"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

// trec is how long recovery may take after everything is healed: a lease, the
// longest pause between attempts, and the backlog of the run.
const trec = 40 * time.Second

// run is one run of one plan.
type run struct {
	plan   plan.Plan
	stream event.Stream
	log    *record.Log
	orders *target.Orders
	target *target.Server
	stage  *stage.Stage
	faults *nemesis.Nemesis
	dir    string
}

// Play runs a plan below dir and judges it. An error is a fault of the set-up.
func Play(ctx context.Context, p plan.Plan, dir, binary string) (*judge.Verdict, error) {
	r := &run{plan: p, dir: dir, stream: event.Stream{Seed: p.Seed, Payload: p.Payload}, orders: &target.Orders{}}
	if err := p.Write(filepath.Join(dir, "plan.json")); err != nil {
		return nil, err
	}
	keep, err := newClientLog(filepath.Join(dir, "sent.ndjson"))
	if err != nil {
		return nil, err
	}
	defer keep.close()
	r.log = record.New(keep.add)
	if r.target, err = target.New(r.stream, r.log, r.orders); err != nil {
		return nil, err
	}
	defer r.target.Close()
	if r.stage, err = stage.New(ctx, p, dir, binary, r.target.Addr); err != nil {
		return nil, err
	}
	defer r.stage.Close()
	r.faults = &nemesis.Nemesis{Plan: p, Stage: r.stage, Log: r.log, Stream: r.stream, Targets: r.target, Orders: r.orders}
	v, err := r.play(ctx)
	return v, errors.Join(err, keep.err)
}

func (r *run) play(ctx context.Context) (*judge.Verdict, error) {
	load, endLoad := context.WithCancel(ctx)
	defer endLoad()
	patience, endPatience := context.WithCancel(ctx)
	defer endPatience()
	senders := &sender.Senders{Plan: r.plan, Stream: r.stream, Log: r.log, Replicas: r.addresses, Drop: filepath.Join(r.stage.Shared, "in")}
	sent := make(chan struct{})
	go func() { senders.Run(load, patience); close(sent) }() // joined below
	enough := time.After(time.Duration(r.plan.Duration) * time.Millisecond)
	r.faults.Run(ctx) // and as long as it takes until each fault has met something
	select {
	case <-enough:
	case <-ctx.Done():
	}
	endLoad()
	if ctx.Err() != nil {
		endPatience()
		<-sent
		return nil, ctx.Err()
	}
	if err := r.faults.Heal(ctx); err != nil {
		endPatience()
		<-sent
		return nil, fmt.Errorf("heal: %w", err)
	}
	select {
	case <-sent:
	case <-time.After(15 * time.Second): // what is not taken in by now is given up
		endPatience()
		<-sent
	}
	healed := time.Now()
	var l judge.Ledger
	var err error
	if l.API, l.Stuck, err = r.settle(ctx); err != nil {
		return nil, err
	}
	recovery := time.Since(healed)
	r.target.Mend()
	if _, err := r.faults.ReplayRefused(ctx); err != nil {
		return nil, err
	}
	if stuck := l.Stuck; stuck == "" {
		if l.API, l.Stuck, err = r.settle(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.ledger(ctx, &l); err != nil {
		return nil, err
	}
	r.files()
	v := judge.Judge(r.plan, r.stream, r.log.Seen(), l)
	v.Recovery, v.Fired = recovery, r.faults.Fired()
	for _, k := range r.plan.Kinds {
		if v.Fired[k] == 0 && v.Vacuous == "" && r.planned(k) {
			v.Vacuous = fmt.Sprintf("the fault %s met nothing", k)
		}
	}
	if errs := r.faults.Errors(); len(errs) > 0 {
		return v, fmt.Errorf("faults could not be made: %w", errors.Join(errs...))
	}
	return v, nil
}

func (r *run) planned(k plan.Kind) bool {
	return slices.ContainsFunc(r.plan.Faults, func(f plan.Fault) bool { return f.Kind == k })
}

// addresses are those of the replicas that run, or of all when none does.
func (r *run) addresses() []sender.Replica {
	var up, all []sender.Replica
	for _, x := range r.stage.Replicas {
		a := sender.Replica{Number: x.Number, Addr: x.Client.Addr}
		all = append(all, a)
		if x.Up() {
			up = append(up, a)
		}
	}
	if len(up) > 0 {
		return up
	}
	return all
}

// settle waits until nothing is open, and says what is when that takes too long.
func (r *run) settle(ctx context.Context) (b journal.Balance, stuck string, err error) {
	limit := trec
	if r.plan.Mutant != "" {
		limit /= 3 // nobody waits for what is known to be wrong
	}
	deadline := time.Now().Add(limit)
	for {
		c, err := r.stage.Replicas[0].Admin()
		if err == nil {
			err = c.Get(ctx, "/v1/balance", nil, &b)
		}
		waiting, _ := filepath.Glob(filepath.Join(r.stage.Shared, "in", "*")) // the pattern is fine
		if err == nil && b.Open == 0 && len(waiting) == 0 {
			return b, "", nil
		}
		if time.Now().After(deadline) {
			if err != nil {
				return b, fmt.Sprintf("the control API does not answer: %s", err), nil
			}
			return b, fmt.Sprintf("%s after everything was healed %d messages are open and %d files wait", limit, b.Open, len(waiting)), nil
		}
		select {
		case <-ctx.Done():
			return b, "", ctx.Err()
		case <-time.After(100 * time.Millisecond): // asks a real process
		}
	}
}

// ledger reads what crossdock says about itself, ends it, and reads its store.
func (r *run) ledger(ctx context.Context, l *judge.Ledger) error {
	letters, err := r.faults.Letters(ctx)
	if err != nil {
		return err
	}
	for _, x := range letters {
		e, ok := nemesis.EventOf(r.stream, x)
		cause := ""
		if x.Cause != nil {
			cause = x.Cause.Code
		}
		l.Dead = append(l.Dead, judge.Letter{Message: x.ID, ID: e.ID, Known: ok, Cause: cause, Reason: x.Reason})
	}
	if c, err := r.stage.Replicas[0].Admin(); err != nil {
		return err
	} else if err := c.Get(ctx, "/v1/balance", nil, &l.API); err != nil {
		return fmt.Errorf("read the balance: %w", err)
	}
	for _, x := range r.stage.Replicas {
		x.Term()
	}
	d, err := r.stage.Open(ctx)
	if err != nil {
		return fmt.Errorf("open the store after the run: %w", err)
	}
	defer d.Close()
	if l.Store, err = journal.ReadBalance(ctx, d, ""); err != nil {
		return fmt.Errorf("read the store after the run: %w", err)
	}
	if l.Accepted, err = accepted(ctx, d); err != nil {
		return err
	}
	l.Waiting = map[string]bool{}
	return count(ctx, d, l)
}

func accepted(ctx context.Context, d queue.Driver) (map[string]int64, error) {
	page, err := d.Browse(ctx, queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		return nil, fmt.Errorf("read the store after the run: %w", err)
	}
	out := map[string]int64{}
	for _, c := range page.Counts {
		if c.Kind == queue.Accepted {
			out[c.Pipeline] += c.N
		}
	}
	return out, nil
}

// count looks at every job in the store.
func count(ctx context.Context, d queue.Driver, l *judge.Ledger) error {
	lanes, err := d.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return fmt.Errorf("read the store after the run: %w", err)
	}
	for _, lane := range lanes.Lanes {
		for _, state := range []queue.State{queue.Ready, queue.Leased, queue.Delayed, queue.Parked, queue.DeadJob} {
			q := queue.Query{View: queue.Jobs, Lane: lane.Lane, State: state, Limit: 1000}
			for {
				page, err := d.Browse(ctx, q)
				if err != nil {
					return fmt.Errorf("read the store after the run: %w", err)
				}
				for _, j := range page.Jobs {
					if state == queue.DeadJob {
						l.Found.Dead++
						continue
					}
					l.Found.Open++
					l.Waiting[queue.Root(j.ID)] = true
				}
				if q.After = page.Next; page.Next == "" {
					break
				}
			}
		}
	}
	return nil
}

// files adds what the file target holds to the arrivals.
func (r *run) files() {
	dir := filepath.Join(r.stage.Shared, "out")
	entries, err := os.ReadDir(dir)
	if err != nil {
		entries = nil // no file was ever written: the judge misses the messages
	}
	for _, f := range entries {
		name, whole := strings.CutSuffix(f.Name(), ".json")
		a := record.Arrival{At: r.log.Now(), Target: "file", ID: strings.ReplaceAll(name, "_", "/"), Applied: true, Answer: record.Clean}
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		var body map[string]any
		if err == nil {
			d := json.NewDecoder(strings.NewReader(string(raw)))
			d.UseNumber()
			err = d.Decode(&body)
		}
		e, known := r.stream.Parse(a.ID)
		switch {
		case !whole:
			continue // a half-written file beside the others harms nobody
		case err != nil:
			a.Wrong = "it is not a whole file: " + err.Error()
		case known:
			a.Wrong = target.Differs(e, body, r.orders.Edited(e.ID))
			fmt.Sscanf(fmt.Sprint(body["edition"]), "e%d", &a.Edition)
		}
		r.log.Arrival(a)
	}
}

// clientLog keeps the log of the senders on a disk that no fault touches.
type clientLog struct {
	f    *os.File
	w    *bufio.Writer
	last time.Time
	err  error
}

func newClientLog(path string) (*clientLog, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("keep the log of the senders: %w", err)
	}
	return &clientLog{f: f, w: bufio.NewWriter(f)}, nil
}

// add writes one line; what is older than a tenth of a second is synced. It is
// called by one goroutine at a time.
func (c *clientLog) add(s record.Sent) {
	raw, err := json.Marshal(s)
	if err == nil {
		_, err = c.w.Write(append(raw, '\n'))
	}
	if err == nil && time.Since(c.last) > 100*time.Millisecond {
		c.last = time.Now()
		err = errors.Join(c.w.Flush(), c.f.Sync())
	}
	c.err = errors.Join(c.err, err)
}

func (c *clientLog) close() {
	c.err = errors.Join(c.err, c.w.Flush(), c.f.Sync(), c.f.Close())
}
