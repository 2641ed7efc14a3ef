package recording

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// Source is where messages are found.
type Source struct {
	Driver  queue.Driver
	WS      *compile.Workspace // what is known of them
	Kept    worker.Recent
	Secrets []string // what must not be seen, wherever it stands
}

// Wanted says which messages are meant.
type Wanted struct {
	ID       string // of a message; "" = those with Ref
	Ref      queue.Ref
	Pipeline string   // only those of one; "" = all
	Keep     []string // fields that stay as they are, although they are personal
}

// Answered are the messages that were found.
type Answered struct {
	Recordings []*Recording `json:"recordings"`
	Gone       []Gone       `json:"gone,omitempty"`
}

// Gone is a message of the history that cannot be recorded.
type Gone struct {
	Message  string `json:"message"`
	Pipeline string `json:"pipeline"`
	Why      string `json:"why"`
}

// mostFound bounds how many messages one number may lead to.
const mostFound = 50

// found is one message with what is known of it.
type found struct {
	in       message.Message
	pipeline string
	refs     []message.Ref
	ended    string
	answers  []Answer
	recall   func(key string) (any, bool)
}

// Record finds messages and records them. What is not in the history is not
// found: the answer is empty.
func (s *Source) Record(ctx context.Context, w Wanted) (*Answered, error) {
	query := queue.Query{View: queue.ByRef, Ref: w.Ref, Limit: 10000}
	if w.ID != "" {
		query = queue.Query{View: queue.ByMsg, ID: root(w.ID), Limit: 10000}
	}
	page, err := s.Driver.Browse(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	out := &Answered{Recordings: []*Recording{}}
	families := s.families(page.Entries, w)
	if len(families) > mostFound {
		return nil, refuse("%d messages are meant; name one by its ID, as `crossdock trace` shows them", len(families))
	}
	for _, fam := range families {
		f, why, err := s.find(ctx, fam)
		if err != nil {
			return nil, err
		}
		if why != "" {
			out.Gone = append(out.Gone, Gone{fam.id, fam.pipeline, why})
			continue
		}
		r, err := s.make(ctx, f, w.Keep)
		var no *refusal
		if errors.As(err, &no) {
			out.Gone = append(out.Gone, Gone{fam.id, fam.pipeline, no.text})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Recordings = append(out.Recordings, r)
	}
	return out, nil
}

// root is the message that an item or branch came from.
func root(id string) string {
	id, _, _ = strings.Cut(id, ".")
	return id
}

// rootIn is the message of a pipeline that an item or branch came from. An event
// is a message of its own: its ID is that of the message it came from, with the
// name of the pipeline that heard it.
func rootIn(id, pipeline string) string {
	if at := strings.LastIndex(id, "-"+pipeline); at >= 0 {
		end := at + 1 + len(pipeline)
		if end == len(id) || id[end] == '.' {
			return id[:end]
		}
	}
	return root(id)
}

// family is one message with its items and branches.
type family struct {
	id, pipeline string
	entries      []queue.Entry
}

// families sorts history by message.
func (s *Source) families(entries []queue.Entry, w Wanted) []*family {
	var out []*family
	by := map[string]*family{}
	for _, e := range entries {
		id := rootIn(e.Message, e.Pipeline)
		if w.Pipeline != "" && e.Pipeline != w.Pipeline || w.ID != "" && id != rootIn(w.ID, e.Pipeline) {
			continue
		}
		f := by[id]
		if f == nil {
			f = &family{id: id, pipeline: e.Pipeline}
			by[id], out = f, append(out, f)
		}
		f.entries = append(f.entries, e)
	}
	return out
}

// find reads a message wherever it is kept; why says why it is not.
func (s *Source) find(ctx context.Context, fam *family) (f *found, why string, err error) {
	f = &found{pipeline: fam.pipeline, ended: "waits"}
	var ids []string
	var at time.Time
	for _, e := range fam.entries {
		if !slices.Contains(ids, e.Message) {
			ids = append(ids, e.Message)
		}
		f.refs = flow.Refs(f.refs, e.Refs)
		switch e.Kind {
		case queue.Delivered, queue.Filtered, queue.DeadKind, queue.Rejected, queue.Discarded:
			f.ended, at = string(e.Kind), e.At
		}
	}
	kept, err := worker.RecentMessages(ctx, s.Driver, fam.pipeline, s.Kept, s.Kept.Messages)
	if err != nil {
		return nil, "", err
	}
	if i := slices.IndexFunc(kept, func(m message.Message) bool { return m.ID == fam.id }); i >= 0 {
		f.in = kept[i]
		f.recall = func(key string) (any, bool) { return worker.RecentAnswer(ctx, s.Driver, key) }
	}
	for _, id := range ids {
		if err := s.job(ctx, f, id); err != nil {
			return nil, "", err
		}
	}
	if f.in.ID == "" {
		if ok := s.refused(f, fam); !ok {
			return nil, s.gone(f, at), nil
		}
	}
	if p := s.WS.Pipelines[f.pipeline]; p != nil && f.in.ID != fam.id {
		return nil, fmt.Sprintf("only the item %s of it is kept, not the message it came in", f.in.ID), nil
	}
	return f, "", nil
}

// gone says why nothing of a message is left.
func (s *Source) gone(f *found, at time.Time) string {
	if s.Kept.Messages <= 0 {
		return "its payload is not kept: `recent` of crossdock.yaml keeps no messages that are done"
	}
	when := ""
	if !at.IsZero() {
		when = fmt.Sprintf(" (%s %s)", f.ended, at.UTC().Format("2006-01-02 15:04"))
	}
	return fmt.Sprintf("its payload is not kept any more%s: of what is done, the last %d messages of a pipeline are kept, for %s; see `recent` of crossdock.yaml",
		when, s.Kept.Messages, days(s.Kept.For))
}

func days(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return d.String()
}

// job reads what waits or is dead: the message, where it is not known yet, the
// answers it got, and what stopped it.
func (s *Source) job(ctx context.Context, f *found, id string) error {
	page, err := s.Driver.Browse(ctx, queue.Query{View: queue.ByID, ID: id, Bodies: true})
	if err != nil {
		return fmt.Errorf("read message %s: %w", id, err)
	}
	if len(page.Jobs) == 0 {
		return nil
	}
	run, err := flow.Decode(page.Jobs[0].Body, func([]byte, *message.Meta) (any, error) { return nil, nil })
	if err != nil {
		return nil // what cannot be read is not there
	}
	p := s.WS.Pipelines[run.Pipeline]
	if p == nil {
		return nil
	}
	if f.in.ID == "" {
		// Of a message that was split an item holds the whole only where a cell reads it.
		whole := rootIn(id, run.Pipeline)
		if p.Split != nil && !p.ReadsOriginal {
			whole = id
		}
		f.in = message.Message{ID: whole, Meta: run.Meta, OccurredAt: run.Occurred, Raw: run.Raw, Body: run.Original}
	}
	f.pipeline = run.Pipeline
	if f.recall == nil {
		for _, step := range p.ByID {
			if result, ok := run.Steps[step.As]; ok && step.As != "" && step.Target != "" {
				f.answer(Answer{Operation: step.Target, Status: 200, Body: result})
			}
		}
	}
	if c := run.Cause; c != nil && c.Target != "" {
		f.answer(failure(c))
	}
	return nil
}

// failure is the answer that stopped a message.
func failure(c *flow.Cause) Answer {
	a := Answer{Operation: c.Target, Status: c.Status}
	if a.Status == 0 || c.Code == "timeout" || c.Code == "connection" || c.Code == "uncertain" {
		return Answer{Operation: c.Target, Fault: "timeout"}
	}
	return a
}

// answer adds one, unless the branch of another item has told it.
func (f *found) answer(a Answer) {
	for _, b := range f.answers {
		if b.Operation == a.Operation {
			return
		}
	}
	f.answers = append(f.answers, a)
}

// refused takes a message that was refused at the door.
func (s *Source) refused(f *found, fam *family) bool {
	for _, e := range fam.entries {
		if e.Kind != queue.Rejected || len(e.Data) == 0 {
			continue
		}
		f.in = message.Message{ID: fam.id, Raw: e.Data, Meta: message.Meta{Source: "http", ReceivedAt: e.At}}
		return true
	}
	return false
}

// maskKey is the key of all disguises of one store, so that a value is the same
// in all tests that are recorded from it. It is made when it is first needed.
func maskKey(ctx context.Context, d queue.Driver) ([]byte, error) {
	const name = "mask/key"
	var failed error
	for range 2 {
		values, err := d.Get(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read the key of the mask: %w", err)
		}
		if values[0].Version > 0 {
			return values[0].Data, nil
		}
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("make a key for the mask: %w", err)
		}
		if _, failed = d.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: name, Value: key}}}); failed == nil {
			return key, nil
		}
		// Another replica may have been quicker: its key is read.
	}
	return nil, fmt.Errorf("store the key of the mask: %w", failed)
}
