package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// Bounds of one call: Redis does nothing else while a script runs.
const (
	callCommits = 128
	callJobs    = 1000
	callBytes   = 4 << 20
	callers     = 2 // calls in flight
)

// pending is a commit that waits for its answer.
type pending struct {
	commit  *queue.Commit
	taken   bool // by a caller goroutine
	slots   []uint64
	sealed  [][]byte
	results []queue.Result
	err     error
	done    chan struct{}
}

// committer gathers the commits that wait into few calls. While a call is under
// way, the next gathers.
type committer struct {
	d       *Driver
	session *session
	mu      sync.Mutex
	queue   []*pending
	work    chan struct{}
	stop    chan struct{}
	joined  sync.WaitGroup
}

func newCommitter(d *Driver) *committer {
	c := &committer{
		d:       d,
		session: newSession(),
		work:    make(chan struct{}, callers),
		stop:    make(chan struct{}),
	}
	for range callers {
		c.joined.Go(c.loop)
	}
	return c
}

func (c *committer) close() {
	close(c.stop)
	c.joined.Wait()
}

// Apply writes a commit; see queue.Driver. When ctx ends before the commit was
// sent, nothing was written; after that the answer is awaited, which takes a few
// seconds at most.
func (d *Driver) Apply(ctx context.Context, commit queue.Commit) ([]queue.Result, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := valid(&commit); err != nil {
		return nil, err
	}
	if twice(commit.Finish) {
		return nil, queue.ErrLeaseLost
	}
	p := &pending{commit: &commit, done: make(chan struct{})}
	p.sealed = make([][]byte, len(commit.Jobs))
	p.slots = make([]uint64, len(commit.Jobs))
	for i := range commit.Jobs {
		j := &commit.Jobs[i]
		p.slots[i] = d.slot()
		if len(j.Body) > 0 {
			p.sealed[i] = sealBody(j.ID, j.Body)
		}
	}
	d.commit.add(p)
	select {
	case <-p.done:
	case <-ctx.Done():
		if d.commit.withdraw(p) {
			return nil, ctx.Err()
		}
		<-p.done
	}
	return p.results, p.err
}

// twice tells whether a lease is named again after the finish that ends it.
func twice(fs []queue.Finish) bool {
	if len(fs) < 2 {
		return false
	}
	ended := make(map[string]bool, len(fs))
	for i := range fs {
		id := fs[i].Lease.ID
		if ended[id] {
			return true
		}
		ended[id] = fs[i].Outcome != queue.Keep
	}
	return false
}

func (c *committer) add(p *pending) {
	c.mu.Lock()
	c.queue = append(c.queue, p)
	c.mu.Unlock()
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// withdraw takes a commit back that was not sent yet.
func (c *committer) withdraw(p *pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.taken {
		return false
	}
	for i, q := range c.queue {
		if q == p {
			c.queue = append(c.queue[:i], c.queue[i+1:]...)
			break
		}
	}
	return true
}

// gather takes what one call may carry.
func (c *committer) gather() []*pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	jobs, bytes, n := 0, 0, 0
	for _, p := range c.queue {
		jobs += len(p.commit.Jobs) + len(p.commit.Finish)
		for _, b := range p.sealed {
			bytes += len(b)
		}
		if n > 0 && (n >= callCommits || jobs > callJobs || bytes > callBytes) {
			break
		}
		p.taken = true
		n++
	}
	batch := make([]*pending, n)
	copy(batch, c.queue)
	rest := copy(c.queue, c.queue[n:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	return batch
}

func (c *committer) loop() {
	var e encoder
	for {
		select {
		case <-c.work:
		case <-c.stop:
			return
		}
		for {
			batch := c.gather()
			if len(batch) == 0 {
				break
			}
			c.serve(&e, batch)
			for _, p := range batch {
				close(p.done)
			}
		}
	}
}

// serve answers every commit of the batch.
func (c *committer) serve(e *encoder, batch []*pending) {
	if err := c.settleDoubts(); err != nil {
		for _, p := range batch {
			p.err = err
		}
		return
	}
	now := time.Now()
	fresh := batch[:0:0]
	for _, p := range batch {
		if a, ok := c.session.recall(p.commit, now); ok {
			p.results, p.err = a.results, a.err
			continue
		}
		fresh = append(fresh, p)
	}
	if len(fresh) == 0 {
		return
	}
	err := c.send(e, applyScript, fresh)
	if !errors.Is(err, queue.ErrFull) {
		return
	}
	// Redis is out of memory. Only new work is refused: what goes on with the work
	// that is there must get through, or it would stay so for ever.
	var drain []*pending
	for _, p := range fresh {
		if len(p.commit.Finish) > 0 || len(p.commit.Jobs) == 0 && len(p.commit.Put) == 0 {
			p.err = nil
			drain = append(drain, p)
		}
	}
	if len(drain) > 0 {
		_ = c.send(e, drainScript, drain) // the error is in each commit
	}
}

// settleDoubts asks what became of calls whose answer never came. Until that is
// known nothing new is sent, so that a commit brought again finds its answer. The
// replicas must confirm it like the call itself: what a master that is cut off
// remembers of a call is lost with it.
func (c *committer) settleDoubts() error {
	for _, no := range c.session.doubtful() {
		var text string
		err := c.d.attempt(context.Background(), func(ctx context.Context) error {
			v, err := c.d.runWith(ctx, settleScript, []any{c.d.mark, c.d.session, no}, nil)
			text, _ = v.(string)
			return err
		})
		if err != nil {
			return fmt.Errorf("write to redis: %w", err)
		}
		if err := c.session.settle(no, time.Now(), text); err != nil {
			return err
		}
	}
	return nil
}

// send makes one call of the commits and puts the outcome into each. It also
// returns the error that the whole call had.
func (c *committer) send(e *encoder, s *script, batch []*pending) error {
	d := c.d
	e.reset()
	e.keys = d.keys
	for _, p := range batch {
		e.commit(p.commit, p.slots, p.sealed)
		for i, b := range p.sealed {
			if b != nil {
				d.bodies.put(p.slots[i], cachedBody{1, b[bodyHead:], p.commit.Jobs[i].Hint})
			}
		}
	}
	n := c.session.next()
	args := e.head(d.mark, d.session, n, d.opts.KeepHistory, recentEntries)
	args = append(append(args, len(batch)), e.args...)
	bodies := e.bodies
	if s == drainScript { // out of memory Redis takes no transaction
		args = append(append(args, len(bodies)), bodies...)
		bodies = nil
	}
	var text string
	err := d.attempt(context.Background(), func(ctx context.Context) error {
		v, err := d.runWith(ctx, s, args, bodies)
		if err != nil {
			return err
		}
		var ok bool
		if text, ok = v.(string); !ok {
			return fmt.Errorf("redis answered %T where the answer of a script was due", v)
		}
		return nil
	})
	if err == nil {
		err = c.decode(text, batch)
	}
	if errors.Is(err, errUnknown) {
		c.session.doubt(n.no, batch)
	} else {
		c.session.done(n, err == nil)
	}
	if err != nil {
		for _, p := range batch {
			p.err = fmt.Errorf("write to redis: %w", err)
		}
	}
	for _, p := range batch {
		c.dropUnused(p)
	}
	return err
}

// dropUnused forgets bodies that were not stored.
func (c *committer) dropUnused(p *pending) {
	for i, b := range p.sealed {
		if b != nil && (p.err != nil || p.results[i].Status != queue.Enqueued) {
			c.d.bodies.drop(p.slots[i])
		}
	}
}

// decode reads an answer of apply.lua and wakes the lanes that got work.
func (c *committer) decode(text string, batch []*pending) error {
	text, err := c.wentBack(text)
	if err != nil {
		return err
	}
	lanes, rest, _ := strings.Cut(text, "\n")
	for lane := range strings.SplitSeq(lanes, "\t") {
		if lane != "" {
			c.d.lease.wake(lane)
		}
	}
	for _, p := range batch {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		a, err := parseAnswer(line, p.commit.Jobs)
		if err != nil {
			return err
		}
		p.results, p.err = a.results, a.err
	}
	return nil
}

// wentBack looks whether an answer says that the store has lost what it had
// confirmed, and returns the rest of it. A few seconds are what a crash or a
// failover may cost, as Check says; more than that means that somebody put an
// older state in its place, on which nobody should go on working unasked.
func (c *committer) wentBack(text string) (string, error) {
	if !strings.HasPrefix(text, "!") {
		return text, nil
	}
	head, rest, _ := strings.Cut(text[1:], "\n")
	known, err := strconv.ParseUint(head, 10, 64)
	if err != nil {
		return "", fmt.Errorf("redis gave the answer %q, which no script gives", head)
	}
	if c.session.rested() {
		return rest, nil // Redis has forgotten the session by its time to live
	}
	lost := c.session.lostSince(known)
	if c.d.wentBack.Add(1) == 1 {
		c.d.log.Error("redis has lost writes that it had confirmed", "seconds", int(lost.Seconds()),
			"meaning", "it was restarted or failed over without its newest data",
			"remedy", "appendfsync always, or replicas=N in the store URL")
	}
	if lost > crashMayCost {
		_ = c.d.fail(lostMessage) // what this call wrote is in the store that is there now
	}
	return rest, nil
}

func parseAnswer(line string, jobs []queue.Job) (answer, error) {
	switch {
	case line == "1":
		return answer{err: queue.ErrLeaseLost}, nil
	case line == "2":
		return answer{err: queue.ErrVersion}, nil
	case line == "3":
		return answer{err: queue.ErrNotFound}, nil
	case !strings.HasPrefix(line, "0"):
		return answer{}, fmt.Errorf("redis gave the answer %q, which no script gives", line)
	}
	results := make([]queue.Result, len(jobs))
	rest := line[1:]
	for i := range jobs {
		var word string
		word, rest, _ = strings.Cut(rest, "\t")
		switch {
		case word == "E":
			results[i] = queue.Result{Status: queue.Enqueued, ID: jobs[i].ID}
		case strings.HasPrefix(word, "D"):
			results[i] = queue.Result{Status: queue.Duplicate, ID: word[1:]}
		case strings.HasPrefix(word, "C"):
			results[i] = queue.Result{Status: queue.Conflict, ID: word[1:]}
		default:
			return answer{}, fmt.Errorf("redis gave the answer %q for a job, which no script gives", word)
		}
	}
	return answer{results: results}, nil
}
