package worker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// Recent says how many messages of a pipeline are kept after they are done, so
// that it can be seen what they would come to under other definitions. The zero
// value keeps none.
type Recent struct {
	Messages int           // of each pipeline
	For      time.Duration // at most
}

const (
	maxRecent = 256 << 10 // bytes of a message, and of an answer, that is kept
	// recentEvery is how often one more is kept of a pipeline that has just
	// filled its places: a flood does not push everything else out, and costs
	// next to nothing.
	recentEvery = 5 * time.Second
)

// recents hands out the places for messages that are kept.
type recents struct {
	mu   sync.Mutex
	next map[string]*places
}

// places are those of one pipeline. Several replicas on one store write over
// each other's now and then; what is kept is a sample.
type places struct {
	at     int
	tokens float64
	when   time.Time
}

func recentKey(pipeline string, place int) string {
	return fmt.Sprintf("recent/%s/%d", pipeline, place)
}

func answerKey(effect string) string { return "answer/" + effect }

// place returns where a message is kept; false: it is not.
func (r *recents) place(ctx context.Context, d queue.Driver, pipeline string, n int, now time.Time) (int, bool) {
	r.mu.Lock()
	p := r.next[pipeline]
	r.mu.Unlock()
	if p == nil { // the store is asked without holding up the others
		p = &places{tokens: float64(n), when: now, at: oldest(ctx, d, pipeline, n)}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = map[string]*places{}
	}
	if r.next[pipeline] == nil {
		r.next[pipeline] = p
	}
	p = r.next[pipeline]
	p.tokens = min(p.tokens+now.Sub(p.when).Seconds()/recentEvery.Seconds(), float64(n))
	p.when = now
	if p.tokens < 1 {
		return 0, false
	}
	p.tokens--
	at := p.at % n
	p.at = at + 1
	return at, true
}

// oldest finds the place to begin with after a start: the first that is free, or
// the one that was written first. Where the store does not answer it is any.
func oldest(ctx context.Context, d queue.Driver, pipeline string, n int) int {
	values, err := d.Get(ctx, recentKeys(pipeline, n)...)
	if err != nil {
		return 0
	}
	at, first := 0, time.Time{}
	for i, v := range values {
		if v.Version == 0 {
			return i
		}
		if m, err := readRecent(v.Data); err == nil && (first.IsZero() || m.Meta.ReceivedAt.Before(first)) {
			at, first = i, m.Meta.ReceivedAt
		}
	}
	return at
}

func recentKeys(pipeline string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = recentKey(pipeline, i)
	}
	return keys
}

// remember decides whether a message is kept and returns the write that does so.
func (w *Worker) remember(ctx context.Context, live *Live, p *compile.Pipeline, id string, m *message.Message) (queue.Put, bool) {
	n := live.Recent.Messages
	if n <= 0 || live.Recent.For <= 0 || len(m.Raw) > maxRecent {
		return queue.Put{}, false
	}
	at, ok := w.recents.place(ctx, w.driver, p.Name, n, time.Now())
	if !ok {
		return queue.Put{}, false
	}
	run := flow.Run{ID: id, Pipeline: p.Name, Now: m.Meta.ReceivedAt, Meta: m.Meta, Occurred: m.OccurredAt, Trace: m.Trace, Raw: m.Raw, Original: m.Body}
	value := flow.Encode(nil, &run)
	if len(value) > 2*maxRecent {
		return queue.Put{}, false
	}
	return queue.Put{Key: recentKey(p.Name, at), Version: queue.AnyVersion, Value: value, TTL: live.Recent.For}, true
}

// noteOnce adds a write; a later one of the same key takes the place of an
// earlier one, because one commit names a key once.
func noteOnce(puts []queue.Put, p queue.Put) []queue.Put {
	if i := slices.IndexFunc(puts, func(o queue.Put) bool { return o.Key == p.Key }); i >= 0 {
		puts[i] = p
		return puts
	}
	return append(puts, p)
}

// answered keeps what an operation answered to a message that is kept.
func (t *task) answered(out flow.Outcome, body any) {
	if !t.run.Kept || out.Step.As == "" || out.Key == "" || t.live.Recent.For <= 0 {
		return
	}
	raw := message.Marshal(body)
	if len(raw) <= maxRecent {
		t.answers = noteOnce(t.answers, queue.Put{Key: answerKey(out.Key), Version: queue.AnyVersion, Value: raw, TTL: t.live.Recent.For})
	}
}

// RecentMessages returns the messages of a pipeline that were kept, newest first.
// They are as they came in: with their personal data.
func RecentMessages(ctx context.Context, d queue.Driver, pipeline string, kept Recent, most int) ([]message.Message, error) {
	if kept.Messages <= 0 || most <= 0 {
		return nil, nil
	}
	values, err := d.Get(ctx, recentKeys(pipeline, kept.Messages)...)
	if err != nil {
		return nil, fmt.Errorf("read the messages of %s that were kept: %w", pipeline, err)
	}
	var out []message.Message
	for _, v := range values {
		if v.Version == 0 {
			continue
		}
		if m, err := readRecent(v.Data); err == nil { // one that is damaged is no sample
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b message.Message) int { return b.Meta.ReceivedAt.Compare(a.Meta.ReceivedAt) })
	return out[:min(len(out), most)], nil
}

func readRecent(raw []byte) (message.Message, error) {
	run, err := flow.Decode(raw, func([]byte, *message.Meta) (any, error) { return nil, nil })
	if err != nil {
		return message.Message{}, err
	}
	return message.Message{ID: run.ID, Meta: run.Meta, OccurredAt: run.Occurred, Trace: run.Trace, Raw: run.Raw, Body: run.Original}, nil
}

// RecentAnswer returns what was answered to an effect of a message that was kept,
// by its idempotency key.
func RecentAnswer(ctx context.Context, d queue.Driver, effect string) (any, bool) {
	values, err := d.Get(ctx, answerKey(effect))
	if err != nil || values[0].Version == 0 {
		return nil, false
	}
	body, err := message.Decode(values[0].Data, message.Unlimited)
	return body, err == nil
}
