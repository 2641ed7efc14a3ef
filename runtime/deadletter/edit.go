package deadletter

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// Comparison is what an edit would change.
type Comparison struct {
	Unread  bool         `json:"unread,omitempty"` // what was received could not be read, and is replaced
	Changes []Difference `json:"changes"`          // places that differ, personal data masked
}

// Edit replaces the payload at the step that failed. A payload that is still as
// received must satisfy the contract of its pipeline. What is masked in the new
// payload stays as it was, and one that changes nothing is refused.
func (b *Box) Edit(ctx context.Context, id string, payload any, who, reason string) error {
	if who == "" || reason == "" {
		return ErrReason
	}
	_, run, e, err := b.edit(ctx, id, payload, who, reason)
	if err != nil {
		return err
	}
	_, err = b.Driver.Apply(ctx, queue.Commit{
		Orders:  []queue.Order{{ID: id, Do: queue.Edit, Body: flow.Encode(nil, run)}},
		History: []queue.Entry{e},
	})
	return notFound(err)
}

// Compare says what Edit would change, or why it would refuse. Personal data is
// masked unless reveal is set.
func (b *Box) Compare(ctx context.Context, id string, payload any, reveal bool) (Comparison, error) {
	before, run, _, err := b.edit(ctx, id, payload, "", "")
	if err != nil {
		return Comparison{}, err
	}
	if before.Fault != "" {
		return Comparison{Unread: true, Changes: []Difference{}}, nil
	}
	changes := Diff(before.Body, run.Body)
	if p := b.Live().WS.Pipelines[run.Pipeline]; p != nil && p.Accept != nil && !reveal {
		changes = hideDifferences(mask.New(p.Accept.Schema.Shape(), before.Original, before.Body, run.Body), changes)
	}
	return Comparison{Changes: changes}, nil
}

// edit makes an edit without storing it: the run before and after, and the line
// for the history.
func (b *Box) edit(ctx context.Context, id string, payload any, who, reason string) (before flow.Run, after *flow.Run, e queue.Entry, err error) {
	job, err := b.job(ctx, id)
	if err != nil {
		return before, nil, e, err
	}
	run, err := b.decode(job.Body)
	if run.ID == "" {
		return before, nil, e, refuse("the stored message cannot be read: %s", err)
	}
	before = run
	p := b.Live().WS.Pipelines[run.Pipeline]
	if run.Fault == "" {
		if payload, err = unmasked(p, &run, payload); err != nil {
			return before, nil, e, err
		}
		if bytes.Equal(message.Marshal(run.Body), message.Marshal(payload)) {
			return before, nil, e, refuse("the new payload is the one that is there: nothing to change")
		}
	}
	e, err = b.edited(p, &run, payload, who, reason)
	return before, &run, e, err
}

// unmasked puts back into a payload what was hidden from whoever edited it.
func unmasked(p *compile.Pipeline, run *flow.Run, payload any) (any, error) {
	shown := run.Body
	if p != nil && p.Accept != nil {
		shape := p.Accept.Schema.Shape()
		shown = mask.New(shape, run.Original, run.Body).Value(run.Body, shape)
	}
	return restore("", run.Body, shown, payload)
}

// restore walks over what is there, what was shown of it, and what came back. In a
// list that was changed nobody can tell which item is which, so nothing is put
// back into it.
func restore(path string, there, shown, after any) (any, error) {
	switch x := after.(type) {
	case map[string]any:
		t, _ := there.(map[string]any)
		s, _ := shown.(map[string]any)
		out := make(map[string]any, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			var err error
			if out[k], err = restore(path+"."+k, t[k], s[k], x[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		t, _ := there.([]any)
		s, _ := shown.([]any)
		out := make([]any, len(x))
		for i := range x {
			var was, seen any
			if len(t) == len(x) && len(s) == len(x) && (len(x) == 1 || message.Equal(s[i], x[i])) {
				was, seen = t[i], s[i]
			}
			var err error
			if out[i], err = restore(fmt.Sprintf("%s[%d]", path, i), was, seen, x[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case string:
		if seen, ok := shown.(string); ok && seen == x {
			return there, nil
		}
		if !strings.Contains(x, mask.Hidden) {
			return x, nil
		}
		return nil, refuse("%s is %s, which is shown in the place of personal data, and nobody can tell which: write the value, or edit with --reveal", path, mask.Hidden)
	}
	return after, nil
}
