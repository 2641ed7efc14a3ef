package deadletter

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"crossdock/runtime/queue"
)

// The kinds of Change.
const (
	ToReplay  = "replay"
	ToDiscard = "discard"
	ToFix     = "fix" // edit, then replay
)

// The states of a Change.
const (
	Running = "running"
	Stopped = "stopped" // by a person; it can be resumed
	Ended   = "ended"
)

// Wanted is what somebody wants done with many dead letters.
type Wanted struct {
	What   string   `json:"what"`
	Filter Filter   `json:"filter"`
	Who    string   `json:"who"`
	Reason string   `json:"reason,omitempty"`
	Set    []string `json:"set,omitempty"`  // fix: rows of path=jq
	Rate   float64  `json:"rate,omitempty"` // letters a second; 0 = as fast as they can be written
	Force  bool     `json:"force,omitempty"`
}

// Change is a Wanted under way: a durable job that survives restarts, goes on
// on any replica, and can be watched, stopped and resumed.
type Change struct {
	ID string `json:"id"`
	Wanted
	State   string    `json:"state"`
	Total   int       `json:"total"`   // letters that were meant when it began
	Done    int       `json:"done"`    // letters changed
	Refused int       `json:"refused"` // letters left as they are; see Problems
	Gone    int       `json:"gone"`    // letters that somebody else dealt with meanwhile
	Began   time.Time `json:"began"`
	At      time.Time `json:"at"` // of the last progress
	By      string    `json:"by"` // who began, stopped or resumed it last

	Problems []Problem `json:"problems,omitempty"` // the first of those refused

	After  string   `json:"after,omitempty"`  // the page of the store being worked on
	Passed []string `json:"passed,omitempty"` // refused letters of that page
}

// Problem says why a letter was left as it is.
type Problem struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

const (
	changeIndex  = "deadletter/changes"
	changePrefix = "deadletter/change/"
	// changeKept is how long a change is remembered after its end.
	changeKept = 90 * 24 * time.Hour
	// mostChanges bounds the list of changes; the oldest ended ones leave it.
	mostChanges = 100
	// mostProblems bounds what a change tells about letters it left.
	mostProblems = 20
	// mostRate bounds Wanted.Rate.
	mostRate = 10000
)

// Errors of changes a caller may branch on.
var (
	ErrNoChange = errors.New("there is no such change")
	ErrState    = errors.New("the change is not in a state in which that can be done")
)

// Check reports what is wrong with a Wanted.
func (w *Wanted) Check() error {
	switch {
	case w.Who == "":
		return ErrWho
	case w.What != ToReplay && w.What != ToDiscard && w.What != ToFix:
		return refuse("there is no change `%s`; there are replay, discard and fix", w.What)
	case w.What != ToReplay && w.Reason == "":
		return ErrReason
	case w.What != ToFix && len(w.Set) > 0:
		return refuse("only a fix changes payloads")
	case w.Rate < 0 || w.Rate > mostRate:
		return refuse("the rate is from 0 to %d letters a second", mostRate)
	case w.Filter == Filter{Since: w.Filter.Since, Until: w.Filter.Until} && w.Filter.Since.IsZero():
		return refuse("say which dead letters: a group, box, pipeline, target, field or since when")
	}
	if w.What == ToFix {
		_, err := NewFix(w.Set)
		return err
	}
	return nil
}

// Confirm is the word that shows that somebody has seen how many letters a
// change will touch. It is made of everything they were shown.
func (w *Wanted) Confirm(total int) string {
	raw, _ := json.Marshal(w) // plain fields cannot fail
	sum := sha256.Sum256(fmt.Appendf(raw, " %d", total))
	return hex.EncodeToString(sum[:5])
}

// Count returns how many letters fit.
func (b *Box) Count(ctx context.Context, f Filter) (int, error) {
	n := 0
	err := b.each(ctx, &f, false, func(*queue.JobInfo) error { n++; return nil })
	return n, err
}

// Begin begins a change. Only letters that are dead now are meant, not those
// that die, or die again, while it goes on.
func (b *Box) Begin(ctx context.Context, w Wanted, confirm string) (Change, error) {
	if err := w.Check(); err != nil {
		return Change{}, err
	}
	if w.Filter.Until.IsZero() {
		return Change{}, refuse("look first which letters it will touch: a preview tells the word that confirms it")
	}
	total, err := b.Count(ctx, w.Filter)
	if err != nil {
		return Change{}, err
	}
	if w.Confirm(total) != confirm {
		return Change{}, refuse("the word that confirms does not fit: %d letters are meant now; look again what it will touch", total)
	}
	now := time.Now().UTC()
	c := Change{ID: now.Format("060102-150405-") + rand.Text()[:4], Wanted: w, State: Running, Total: total, Began: now, At: now, By: w.Who}
	for {
		ids, version, err := b.changeIDs(ctx)
		if err != nil {
			return c, err
		}
		if ids, err = b.tidied(ctx, append(ids, c.ID)); err != nil {
			return c, err
		}
		index, err := json.Marshal(ids)
		if err != nil {
			return c, err
		}
		put, err := c.put(0)
		if err != nil {
			return c, err
		}
		_, err = b.Driver.Apply(ctx, queue.Commit{Put: []queue.Put{put, {Key: changeIndex, Version: version, Value: index}}})
		if !errors.Is(err, queue.ErrVersion) {
			return c, err
		}
	}
}

// tidied drops the oldest ended changes from a list that has become too long.
func (b *Box) tidied(ctx context.Context, ids []string) ([]string, error) {
	for i := 0; len(ids) > mostChanges && i < len(ids)-1; {
		c, _, err := b.change(ctx, ids[i])
		switch {
		case errors.Is(err, ErrNoChange) || err == nil && c.State == Ended:
			ids = slices.Delete(ids, i, i+1)
		case err != nil:
			return nil, err
		default:
			i++
		}
	}
	return ids, nil
}

// put is how the change is kept where its version is still the one given.
func (c *Change) put(version int64) (queue.Put, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return queue.Put{}, fmt.Errorf("keep a change of dead letters: %w", err)
	}
	p := queue.Put{Key: changePrefix + c.ID, Version: version, Value: raw}
	if c.State == Ended {
		p.TTL = changeKept
	}
	return p, nil
}

func (b *Box) changeIDs(ctx context.Context) ([]string, int64, error) {
	values, err := b.Driver.Get(ctx, changeIndex)
	if err != nil {
		return nil, 0, err
	}
	var ids []string
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &ids); err != nil {
			return nil, 0, fmt.Errorf("read the list of changes of dead letters: %w", err)
		}
	}
	return ids, values[0].Version, nil
}

func (b *Box) change(ctx context.Context, id string) (Change, int64, error) {
	var c Change
	values, err := b.Driver.Get(ctx, changePrefix+id)
	if err != nil {
		return c, 0, err
	}
	if values[0].Version == 0 {
		return c, 0, ErrNoChange
	}
	if err := json.Unmarshal(values[0].Data, &c); err != nil {
		return c, 0, fmt.Errorf("read the change %s of dead letters: %w", id, err)
	}
	return c, values[0].Version, nil
}

// Change returns one change.
func (b *Box) Change(ctx context.Context, id string) (Change, error) {
	c, _, err := b.change(ctx, id)
	return c, err
}

// Changes returns all changes that are remembered, newest first.
func (b *Box) Changes(ctx context.Context) ([]Change, error) {
	ids, _, err := b.changeIDs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Change{}
	for _, id := range slices.Backward(ids) {
		c, _, err := b.change(ctx, id)
		if errors.Is(err, ErrNoChange) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Stop stops a change between two letters; what it has done stays done.
func (b *Box) Stop(ctx context.Context, id, who string) (Change, error) {
	return b.turn(ctx, id, who, Running, Stopped)
}

// Resume lets a change that was stopped go on where it was.
func (b *Box) Resume(ctx context.Context, id, who string) (Change, error) {
	return b.turn(ctx, id, who, Stopped, Running)
}

func (b *Box) turn(ctx context.Context, id, who, from, to string) (Change, error) {
	if who == "" {
		return Change{}, ErrWho
	}
	for {
		c, version, err := b.change(ctx, id)
		if err != nil {
			return c, err
		}
		if c.State != from {
			return c, ErrState
		}
		c.State, c.By, c.At = to, who, time.Now().UTC()
		put, err := c.put(version)
		if err != nil {
			return c, err
		}
		// The list is touched, so that whoever carries changes out looks again.
		ids, listed, err := b.changeIDs(ctx)
		if err != nil {
			return c, err
		}
		index, err := json.Marshal(ids)
		if err != nil {
			return c, err
		}
		_, err = b.Driver.Apply(ctx, queue.Commit{Put: []queue.Put{put, {Key: changeIndex, Version: listed, Value: index}}})
		if !errors.Is(err, queue.ErrVersion) {
			return c, err
		}
	}
}
