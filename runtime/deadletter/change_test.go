package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// fill makes n dead letters of the pipeline two that died at its first step.
func (d *desk) fill(n int) {
	d.t.Helper()
	d.failing("one", 400)
	for i := range n {
		d.send("two", strings.Replace(order1, `"n": 7`, fmt.Sprintf(`"n": %d`, i+1), 1), true)
	}
}

// begin previews and begins a change.
func (d *desk) begin(w deadletter.Wanted) deadletter.Change {
	d.t.Helper()
	w.Who, w.Reason = "anna", "the target was mended"
	p, err := d.box.Preview(context.Background(), w, false)
	d.must(err)
	c, err := d.box.Begin(context.Background(), p.Wanted, p.Confirm)
	d.must(err)
	return c
}

func (d *desk) change(id string) deadletter.Change {
	d.t.Helper()
	c, err := d.box.Change(context.Background(), id)
	d.must(err)
	return c
}

// working runs the box while do runs, in a bubble: the box has nothing to do
// when do looks.
func (d *desk) working(do func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- d.box.Run(ctx) }()
	synctest.Wait()
	do()
	cancel()
	d.must(<-ended)
}

func TestAGroupIsReplayedAsOneChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(230)
		d.failing("never", 400)
		d.send("never", `{"n":1}`, true)
		groups, err := d.box.Groups(context.Background(), deadletter.Filter{}, "cause")
		d.must(err)
		if len(groups) != 2 || groups[0].Count != 230 || groups[0].Pipeline != "two" || groups[0].Target != "t.one" || groups[0].Example == "" {
			t.Fatalf("groups %+v", groups)
		}
		d.mend()
		w := deadletter.Wanted{What: deadletter.ToReplay, Filter: deadletter.Filter{Group: groups[0].Name}, Who: "anna"}
		p, err := d.box.Preview(context.Background(), w, false)
		d.must(err)
		if p.Total != 230 || p.Refused != 0 || len(p.Letters) == 0 {
			t.Fatalf("preview %+v", p)
		}
		var refused *deadletter.Refusal
		if _, err := d.box.Begin(context.Background(), p.Wanted, "wrong"); !errors.As(err, &refused) {
			t.Errorf("without the word that confirms: %v", err)
		}
		other := p.Wanted
		other.Force = true
		if _, err := d.box.Begin(context.Background(), other, p.Confirm); !errors.As(err, &refused) {
			t.Errorf("with the word of another change: %v", err)
		}
		c, err := d.box.Begin(context.Background(), p.Wanted, p.Confirm)
		d.must(err)
		before := len(d.seen)
		d.working(func() { c = d.change(c.ID) })
		if c.State != deadletter.Ended || c.Done != 230 || c.Refused+c.Gone != 0 {
			t.Fatalf("change %+v", c)
		}
		if b := d.drain(); b.Delivered != 230 || b.Dead != 1 {
			t.Errorf("balance %+v", b)
		}
		keys := map[string]int{}
		for _, r := range d.seen[before:] {
			keys[r.Key]++
		}
		if len(keys) != 2*230 {
			t.Errorf("%d keys in %d calls", len(keys), len(d.seen)-before)
		}
		for _, r := range d.seen[:230] {
			if keys[r.Key] != 1 {
				t.Fatalf("the key of the first attempt was used %d times", keys[r.Key])
			}
		}
	})
}

func TestAChangeIsStoppedAndGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(20)
		d.mend()
		c := d.begin(deadletter.Wanted{What: deadletter.ToReplay, Filter: deadletter.Filter{Pipeline: "two"}, Rate: 1})
		d.working(func() {
			time.Sleep(4500 * time.Millisecond)
			synctest.Wait()
			if c = d.change(c.ID); c.Done != 5 {
				t.Errorf("%d letters after 4.5 seconds at one a second", c.Done)
			}
		})
		d.working(func() { // a restart
			time.Sleep(2500 * time.Millisecond)
			synctest.Wait()
			c, err := d.box.Stop(context.Background(), c.ID, "bob")
			d.must(err)
			stopped := c.Done
			if stopped < 7 || stopped > 9 {
				t.Errorf("%d letters after the restart", stopped)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if c = d.change(c.ID); c.Done != stopped || c.State != deadletter.Stopped || c.By != "bob" {
				t.Errorf("a stopped change went on: %+v", c)
			}
			if _, err := d.box.Stop(context.Background(), c.ID, "bob"); !errors.Is(err, deadletter.ErrState) {
				t.Errorf("stopped twice: %v", err)
			}
			_, err = d.box.Resume(context.Background(), c.ID, "anna")
			d.must(err)
			time.Sleep(time.Minute)
			synctest.Wait()
		})
		if c = d.change(c.ID); c.State != deadletter.Ended || c.Done != 20 {
			t.Errorf("change %+v", c)
		}
		if b := d.drain(); b.Delivered != 20 {
			t.Errorf("balance %+v", b)
		}
		if n := len(d.seen) - 20; n != 40 {
			t.Errorf("%d calls, want one for each step of each letter", n)
		}
	})
}

// TestWhatDiesAgainIsLeft: a change over a target that still fails ends, and
// replays each letter once.
func TestWhatDiesAgainIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(10)
		c := d.begin(deadletter.Wanted{What: deadletter.ToReplay, Filter: deadletter.Filter{Pipeline: "two"}, Rate: 2})
		d.working(func() {
			for range 30 {
				time.Sleep(time.Second)
				_, err := d.worker.Drain(context.Background(), 1000)
				d.must(err)
			}
		})
		if c = d.change(c.ID); c.State != deadletter.Ended || c.Done != 10 {
			t.Errorf("change %+v", c)
		}
		if len(d.seen) != 20 {
			t.Errorf("%d calls, want 20", len(d.seen))
		}
	})
}

func TestAGroupIsFixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(3)
		d.mend()
		w := deadletter.Wanted{What: deadletter.ToFix, Filter: deadletter.Filter{Pipeline: "two"}, Set: []string{`.name=.name + " Lovelace"`, `n="x"`}, Who: "anna", Reason: "names"}
		p, err := d.box.Preview(context.Background(), w, true)
		d.must(err)
		if p.Refused != 3 || !strings.Contains(p.Letters[0].Problem, "order@1") {
			t.Errorf("a fix against the contract: %+v", p)
		}
		w.Set = w.Set[:1]
		p, err = d.box.Preview(context.Background(), w, false)
		d.must(err)
		if p.Refused != 0 || len(p.Letters[0].Changes) != 1 || p.Letters[0].Changes[0].Path != ".name" {
			t.Errorf("preview %+v", p.Letters)
		}
		if text := fmt.Sprint(p.Letters); strings.Contains(text, "Ada") {
			t.Errorf("personal data is shown: %s", text)
		}
		c := d.begin(w)
		d.working(func() { c = d.change(c.ID) })
		d.drain()
		if c.Done != 3 {
			t.Errorf("change %+v", c)
		}
		if got := d.seen[len(d.seen)-1].Body.(map[string]any)["to"]; got != "Ada Byron Lovelace" {
			t.Errorf("sent %v", got)
		}
		page, err := d.driver.Browse(context.Background(), queue.Query{View: queue.Recent, Kind: queue.Edited})
		d.must(err)
		if len(page.Entries) != 3 || !strings.Contains(string(page.Entries[0].Data), "Ada Byron") ||
			!strings.Contains(page.Entries[0].Detail, "by anna: the target was mended (change "+c.ID+")") {
			t.Errorf("history %+v", page.Entries)
		}
	})
}

func TestAGroupIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(60)
		bad := deadletter.Wanted{What: deadletter.ToDiscard, Filter: deadletter.Filter{Pipeline: "two"}, Who: "anna"}
		if _, err := d.box.Preview(context.Background(), bad, false); !errors.Is(err, deadletter.ErrReason) {
			t.Errorf("without a reason: %v", err)
		}
		bad.Reason, bad.Filter = "why", deadletter.Filter{}
		var refused *deadletter.Refusal
		if _, err := d.box.Preview(context.Background(), bad, false); !errors.As(err, &refused) {
			t.Errorf("all there is, without saying so: %v", err)
		}
		c := d.begin(deadletter.Wanted{What: deadletter.ToDiscard, Filter: deadletter.Filter{Pipeline: "two"}})
		d.working(func() { c = d.change(c.ID) })
		if b := d.even(); b.Discarded != 60 || c.Done != 60 {
			t.Errorf("balance %+v, change %+v", b, c)
		}
	})
}

func TestAPreviewSendsNothing(t *testing.T) {
	d := newDesk(t)
	d.failing("two", 400)
	d.send("two", order1, true)
	calls := d.calls()
	o, err := d.box.Outlook(context.Background(), d.only(false).ID, deadletter.How{Who: "anna"}, false)
	d.must(err)
	if d.calls() != calls {
		t.Errorf("calls %q", d.calls())
	}
	if len(o.Effects) != 1 || o.Effects[0].Target != "t.two" || o.Effects[0].Key != d.seen[1].Key {
		t.Fatalf("outlook %+v", o)
	}
	body := o.Effects[0].Body.(map[string]any)
	if fmt.Sprint(body["n"]) != "7" || strings.Contains(fmt.Sprint(body), "Ada") {
		t.Errorf("body %v", body)
	}
	o, err = d.box.Outlook(context.Background(), d.only(false).ID, deadletter.How{Who: "anna"}, true)
	d.must(err)
	if o.Effects[0].Body.(map[string]any)["to"] != "Ada Byron" {
		t.Errorf("revealed body %v", o.Effects[0].Body)
	}
}

// TestForgottenKeys: what the target may have taken is not replayed when it no
// longer knows the key.
func TestForgottenKeys(t *testing.T) {
	old := time.Now().Add(-30 * time.Hour)
	for _, c := range []struct {
		name     string
		answer   func(connectors.Request) (connectors.Response, error)
		received time.Time
		refused  bool
	}{
		{"no answer, old", func(connectors.Request) (connectors.Response, error) {
			return connectors.Response{}, connectors.Ambiguous(errors.New("no answer"))
		}, old, true},
		{"500, old", func(connectors.Request) (connectors.Response, error) { return connectors.Response{Status: 500}, nil }, old, true},
		{"500, young", func(connectors.Request) (connectors.Response, error) { return connectors.Response{Status: 500}, nil }, time.Now(), false},
		{"400, old", func(connectors.Request) (connectors.Response, error) { return connectors.Response{Status: 400}, nil }, old, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.answer = c.answer
				now := time.Now()
				m := message.Message{Raw: []byte(order1), Meta: message.Meta{Source: "http", ReceivedAt: now.Add(time.Until(c.received))}}
				if c.received == old {
					m.Meta.ReceivedAt = now.Add(-30 * time.Hour)
				} else {
					m.Meta.ReceivedAt = now
				}
				_, err := d.worker.Channel("two", true).Send(context.Background(), m)
				d.must(err)
				for range 3 {
					_, err := d.worker.Drain(context.Background(), 1000)
					d.must(err)
					time.Sleep(2 * time.Second)
				}
				l := d.only(false)
				d.mend()
				err = d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna"})
				var refused *deadletter.Refusal
				if errors.As(err, &refused) != c.refused || !c.refused && err != nil {
					t.Fatalf("replay: %v", err)
				}
				if c.refused {
					if !strings.Contains(err.Error(), "24 hours") || !strings.Contains(err.Error(), "--force") {
						t.Errorf("the refusal does not tell what to do: %s", err)
					}
					d.must(d.box.Replay(context.Background(), l.ID, deadletter.How{Who: "anna", Force: true}))
				}
				if b := d.drain(); b.Delivered != 1 {
					t.Errorf("balance %+v", b)
				}
			})
		})
	}
}

// TestDoubtStays: a letter that may have been taken, and is then refused by the
// target in a replay, is still one that may have been taken.
func TestDoubtStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.failing("one", 500)
		d.send("two", order1, true)
		time.Sleep(5 * time.Second)
		d.drain()
		d.failing("one", 400)
		d.must(d.box.Replay(context.Background(), d.only(false).ID, deadletter.How{Who: "anna"}))
		d.drain()
		time.Sleep(25 * time.Hour)
		var refused *deadletter.Refusal
		if err := d.box.Replay(context.Background(), d.only(false).ID, deadletter.How{Who: "anna"}); !errors.As(err, &refused) {
			t.Errorf("replay: %v", err)
		}
	})
}

func TestLettersExpireByTheirPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.fill(3)
		ctx := context.Background()
		time.Sleep(29 * 24 * time.Hour)
		if n, err := d.box.Expire(ctx, time.Now()); n != 0 || err != nil {
			t.Errorf("%d letters, %v", n, err)
		}
		d.failing("never", 400)
		d.send("never", `{"n":1}`, true)
		time.Sleep(2 * 24 * time.Hour)
		d.working(func() {})
		if b := d.even(); b.Discarded != 3 || b.Dead != 1 {
			t.Errorf("balance %+v", b)
		}
		page, err := d.driver.Browse(ctx, queue.Query{View: queue.Recent, Kind: queue.Discarded})
		d.must(err)
		if want := "by the policy p: dead letters of the box general are kept for 30 days"; len(page.Entries) != 3 || page.Entries[0].Detail != want {
			t.Errorf("history %+v", page.Entries)
		}
	})
}

func TestGroupingsAndBoxes(t *testing.T) {
	d := newDesk(t)
	d.fill(3)
	d.failing("never", 400)
	d.send("never", `{"n":1}`, true)
	ctx := context.Background()
	for by, want := range map[string]string{"cause": "3 1", "pipeline": "two 3 never 1", "target": "t.one 3 t.never 1", "box": "general 4", "field": "(none) 4"} {
		groups, err := d.box.Groups(ctx, deadletter.Filter{}, by)
		d.must(err)
		var got []string
		for _, g := range groups {
			if by != "cause" {
				got = append(got, g.Name)
			}
			got = append(got, fmt.Sprint(g.Count))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %v", by, got)
		}
	}
	list, _, err := d.box.List(ctx, deadletter.Query{Filter: deadletter.Filter{Target: "t.never"}})
	d.must(err)
	if len(list) != 1 || list[0].Pipeline != "never" {
		t.Errorf("list %+v", list)
	}
	boxes, err := d.box.Boxes(ctx)
	d.must(err)
	if len(boxes) != 1 || boxes[0].Depth != 4 || boxes[0].Keep != 30*24*time.Hour {
		t.Errorf("boxes %+v", boxes)
	}
}

// TestManyLetters: lists and groups of very many letters read each page of the
// store once, however few letters are wanted of it, and one page of a list reads
// a part of the store only.
func TestManyLetters(t *testing.T) {
	d := newDesk(t)
	ctx := context.Background()
	const n, batch = 20000, 1000
	for from := 0; from < n; from += batch {
		jobs := make([]queue.Job, batch)
		for i := range jobs {
			pipeline := "two"
			if from+i == n-1 {
				pipeline = "never"
			}
			run := flow.Run{ID: fmt.Sprintf("m%06d", from+i), Pipeline: pipeline, Body: map[string]any{}, Original: map[string]any{}}
			jobs[i] = queue.Job{ID: run.ID, Lane: "in/two", Body: flow.Encode(nil, &run)}
		}
		_, err := d.driver.Apply(ctx, queue.Commit{Jobs: jobs})
		d.must(err)
		leases, err := d.driver.Lease(ctx, queue.Want{Lane: "in/two", Max: batch, TTL: time.Minute})
		d.must(err)
		var c queue.Commit
		for _, l := range leases {
			c.Finish = append(c.Finish, queue.Finish{Lease: l, Outcome: queue.Dead, Box: "general", Group: "g"})
		}
		_, err = d.driver.Apply(ctx, c)
		d.must(err)
	}
	reads := &counted{Driver: d.driver}
	d.box.Driver = reads
	q := deadletter.Query{Filter: deadletter.Filter{Pipeline: "never"}, Limit: 1}
	list, next, err := d.box.List(ctx, q)
	d.must(err)
	if len(list) != 0 || next == "" || reads.n > 50 {
		t.Errorf("the first page: %d letters, next %q, %d reads", len(list), next, reads.n)
	}
	for q.After = next; q.After != ""; q.After = next {
		var more []deadletter.Letter
		more, next, err = d.box.List(ctx, q)
		d.must(err)
		list = append(list, more...)
	}
	if len(list) != 1 || list[0].ID != fmt.Sprintf("m%06d", n-1) || reads.n > n/200+2 {
		t.Errorf("%d letters, %d reads", len(list), reads.n)
	}
	groups, err := d.box.Groups(ctx, deadletter.Filter{}, "pipeline")
	d.must(err)
	if len(groups) != 2 || groups[0].Count != n-1 {
		t.Errorf("groups %+v", groups)
	}
	if reads.largest > 200 {
		t.Errorf("%d letters in memory at a time", reads.largest)
	}
}

// counted counts what is read of a store.
type counted struct {
	queue.Driver
	n, largest int
}

func (c *counted) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	page, err := c.Driver.Browse(ctx, q)
	c.n++
	c.largest = max(c.largest, len(page.Jobs))
	return page, err
}
