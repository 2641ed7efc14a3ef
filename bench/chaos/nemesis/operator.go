package nemesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"sync"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/record"
	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
)

// operate does what people do with dead letters, on whichever replica answers.
// Where there is nothing to do yet it looks again a little later.
func (n *Nemesis) operate(ctx context.Context, f plan.Fault) (bool, error) {
	for look := range 10 {
		r := n.Stage.Replicas[(f.Who+look)%len(n.Stage.Replicas)]
		c, err := r.Admin()
		if err != nil {
			return false, err
		}
		page, err := letters(ctx, c, "")
		if err != nil || len(page.Letters) == 0 {
			sleep(ctx, 500) // it is down, or nothing has died yet
			continue
		}
		for i, l := range page.Letters {
			if i == 0 || rand.IntN(3) == 0 {
				n.mendOne(ctx, c, l)
			}
		}
		return true, nil
	}
	return false, nil
}

func letters(ctx context.Context, c *admin.Client, after string) (admin.DeadPage, error) {
	var page admin.DeadPage
	err := c.Get(ctx, "/v1/dead", url.Values{"limit": {"100"}, "after": {after}}, &page)
	return page, err
}

// EventOf returns the message that a dead letter holds.
func EventOf(s event.Stream, l deadletter.Letter) (event.Event, bool) {
	for _, ref := range l.Refs {
		if e, ok := s.Parse(ref.Value); ok {
			return e, true
		}
	}
	return event.Event{}, false
}

func (n *Nemesis) mendOne(ctx context.Context, c *admin.Client, l deadletter.Letter) {
	e, ok := EventOf(n.Stream, l)
	if !ok {
		return // the judge will name it
	}
	switch {
	case e.Class == event.Poison && rand.IntN(3) == 0:
		n.mended(ctx, c, l, e)
	case e.Class == event.Poison && rand.IntN(2) == 0:
		n.order(ctx, c, l, e, "discard", admin.Change{Who: "chaos", Reason: "nobody needs it"})
	case rand.IntN(3) == 0: // two people at once: one of them comes too late
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { n.order(ctx, c, l, e, "replay", admin.Change{Who: "chaos"}) })
		}
		both.Wait()
	default:
		n.order(ctx, c, l, e, "replay", admin.Change{Who: "chaos"})
	}
}

// pause stops work on a pipeline for a while.
func (n *Nemesis) pause(ctx context.Context, f plan.Fault) (bool, error) {
	ok := n.meets(ctx, func() bool { return n.switchTo(ctx, f.Who, f.Arg, "pause") == nil })
	sleep(ctx, f.For)
	for range 20 { // whoever takes the order, it has to be carried out
		if n.switchTo(ctx, f.Who, f.Arg, "resume") == nil {
			break
		}
		sleep(ctx, 200)
	}
	return ok, nil
}

// switchTo asks every replica to pause or resume a pipeline; one that hears it
// is enough, for a pause is shared.
func (n *Nemesis) switchTo(ctx context.Context, first int, pipeline, what string) error {
	var err error
	heard := false
	for i := range n.Stage.Replicas {
		c, failed := n.Stage.Replicas[(first+i)%len(n.Stage.Replicas)].Admin()
		if failed == nil {
			failed = c.Post(ctx, "/v1/pipelines/"+pipeline+"/"+what, nil, &map[string]string{})
		}
		heard = heard || failed == nil
		err = errors.Join(err, failed)
	}
	if heard {
		return nil
	}
	return err
}

// resumeAll lets every pipeline that a plan pauses go on.
func (n *Nemesis) resumeAll(ctx context.Context) error {
	for _, f := range n.Plan.Faults {
		if f.Kind != plan.Pause {
			continue
		}
		if err := n.switchTo(ctx, 0, f.Arg, "resume"); err != nil {
			return fmt.Errorf("resume %s: %w", f.Arg, err)
		}
	}
	return nil
}

// mended edits a poisoned message, then replays it.
func (n *Nemesis) mended(ctx context.Context, c *admin.Client, l deadletter.Letter, e event.Event) {
	payload := map[string]any{"id": e.ID, "flow": e.Flow, "key": e.Key, "seq": e.Seq, "class": e.Class, "qty": event.MendedQty, "price": e.Price, "note": e.Note}
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err) // the event is ours
	}
	n.Orders.Edit(e.ID)
	if n.order(ctx, c, l, e, "edit", admin.Change{Who: "chaos", Reason: "qty was no number", Payload: raw}) == record.OK {
		n.order(ctx, c, l, e, "replay", admin.Change{Who: "chaos"})
	}
}

func (n *Nemesis) order(ctx context.Context, c *admin.Client, l deadletter.Letter, e event.Event, do string, change admin.Change) record.Result {
	o := record.Order{Message: l.ID, ID: e.ID, Do: do, Result: record.OK}
	var out map[string]string
	if err := c.Post(ctx, "/v1/dead/"+url.PathEscape(l.ID)+"/"+do, change, &out); err != nil {
		o.Result = record.Unknown
	}
	o.At = n.Log.Now()
	n.Log.Order(o)
	return o.Result
}

// ReplayRefused replays all dead letters of messages that the targets refused
// and would take now. It returns how many.
func (n *Nemesis) ReplayRefused(ctx context.Context) (int, error) {
	c, err := n.Stage.Replicas[0].Admin()
	if err != nil {
		return 0, err
	}
	after, count := "", 0
	for {
		page, err := letters(ctx, c, after)
		if err != nil {
			return count, fmt.Errorf("list dead letters: %w", err)
		}
		for _, l := range page.Letters {
			if e, ok := EventOf(n.Stream, l); ok && e.Class == event.Rejected {
				n.order(ctx, c, l, e, "replay", admin.Change{Who: "chaos"})
				count++
			}
		}
		if after = page.Next; after == "" {
			return count, nil
		}
	}
}

// Letters reads all dead letters.
func (n *Nemesis) Letters(ctx context.Context) ([]deadletter.Letter, error) {
	c, err := n.Stage.Replicas[0].Admin()
	if err != nil {
		return nil, err
	}
	var all []deadletter.Letter
	for after := ""; ; {
		page, err := letters(ctx, c, after)
		if err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		all = append(all, page.Letters...)
		if after = page.Next; after == "" {
			return all, nil
		}
		if len(all) > 1_000_000 {
			return nil, errors.New("the list of dead letters has no end: " + strconv.Itoa(len(all)))
		}
	}
}
