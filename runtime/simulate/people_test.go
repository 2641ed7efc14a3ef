package simulate

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/deadletter"
	"crossdock/runtime/policy"
)

// event is one message of a sender.
type event struct {
	Flow, K, Class, ID string
	Turn               int
	Items              []*event // of a split

	sent    bool // a try left the sender
	ok      bool
	Message string // as which it was taken in
}

// newEvent makes the event of a turn.
func (w *world) newEvent(flow, k string, turn int) *event {
	e := &event{Flow: flow, K: k, Turn: turn, Class: normal, ID: fmt.Sprintf("%s-%s-%d", flow, k, turn)}
	switch n := w.intn(20); {
	case n == 0:
		e.Class = poison
	case n == 1 && flow != "polled": // where it would be taken in each time it is read
		e.Class = filtered
	case n < 7 && flow == "fallback":
		e.Class = refused
	}
	if flow == "items" && e.Class != filtered {
		for i := range 1 + w.intn(3) {
			item := *e
			item.ID, item.Turn = fmt.Sprintf("%s-%d", e.ID, i), turn*10+i
			if i > 0 {
				item.Class = normal
			}
			e.Items = append(e.Items, &item)
		}
	}
	return e
}

// leaves are the events that have ends of their own.
func (e *event) leaves() []*event {
	if e.Items != nil {
		return e.Items
	}
	return []*event{e}
}

func (e *event) body() map[string]any {
	b := map[string]any{"id": e.ID, "k": e.K, "turn": e.Turn, "class": e.Class, "amount": 1}
	if e.Class == poison {
		b["amount"] = "many"
	}
	var items []any
	for _, i := range e.Items {
		items = append(items, i.body())
	}
	if items != nil {
		b["items"] = items
	}
	return b
}

// send is one key of one flow: each message is taken in before the next is
// tried.
func (w *world) send(ctx context.Context, flow, k string) {
	for turn := range w.plan.Turns {
		if gap := 4 * w.plan.Length / time.Duration(w.plan.Turns); w.intn(2) == 0 {
			w.sleep(ctx, w.jitter(gap))
		} else { // right behind the one before
			w.sleep(ctx, w.jitter(20*time.Millisecond))
		}
		e := w.newEvent(flow, k, turn)
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
		text := string(marshal(e.body()))
		for !e.ok && w.now() < w.plan.Length+patience {
			if !w.post(ctx, e, text, false) {
				w.sleep(ctx, 300*time.Millisecond+w.jitter(time.Second))
			}
		}
		if w.intn(8) == 0 {
			w.post(ctx, e, text, true)
		}
		if w.intn(12) == 0 && e.Class != filtered && e.Items == nil {
			w.conflict(ctx, e)
		}
	}
}

// feed is one key of the list that is asked for: its changes come by themselves,
// now and then one that is written late, which belongs to nobody's order.
func (w *world) feed(ctx context.Context, k string) {
	for turn := range w.plan.Turns {
		w.sleep(ctx, w.jitter(2*w.plan.Length/time.Duration(w.plan.Turns)))
		e, at := w.newEvent("polled", k, turn), time.Now()
		if w.intn(5) == 0 {
			e.K, at = "late-"+e.ID, at.Add(-w.jitter(2*time.Second))
		}
		e.sent, e.ok = true, true
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
		w.targets.add(e, at)
	}
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own maps
	}
	return b
}

// call makes one request to a replica that is up; status 0 means that the
// outcome is unknown.
func (w *world) call(ctx context.Context, flow, text string) (status int, answer string) {
	p := w.running(w.intn(w.plan.Replicas))
	if p == nil {
		return 0, "nobody is up"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if w.hit(senderGone, 0) {
		w.mu.Lock()
		soon := time.Duration(w.random.Int64N(int64(time.Millisecond)))
		w.mu.Unlock()
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, soon)
		defer stop()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://crossdock.test/"+flow, strings.NewReader(text))
	if err != nil {
		return 0, err.Error()
	}
	req.Close = true
	req.Header.Set("Content-Type", "application/json")
	conn, err := p.on.dial(ctx)
	if err != nil {
		return 0, err.Error()
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer context.AfterFunc(p.store.life, func() { conn.Close() })()
	if err := req.Write(conn); err != nil {
		return 0, err.Error()
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(raw)
}

// post sends an event, and holds the answer to what is known of it.
func (w *world) post(ctx context.Context, e *event, text string, repeat bool) bool {
	e.sent = true
	status, answer := w.call(ctx, e.Flow, text)
	switch {
	case status == 0 || status >= 500:
		return false
	case status >= 300:
		w.broken("refused", e.ID, "answered %d: %s", status, answer)
		e.ok = true
		return true
	}
	var a struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		w.broken("refused", e.ID, "the answer cannot be read: %s", answer)
	}
	switch {
	case repeat && e.Class != filtered && a.Status != "duplicate":
		w.broken("forgotten", e.ID, "a repeat was answered %s", answer)
	case repeat && e.Class != filtered && a.ID != e.Message:
		w.broken("forgotten", e.ID, "a repeat was said to be %s, first taken in as %s", a.ID, e.Message)
	}
	if !repeat {
		e.ok, e.Message = true, a.ID
	}
	return true
}

// conflict sends another content under a known key: it must be refused.
func (w *world) conflict(ctx context.Context, e *event) {
	b := e.body()
	b["other"] = true
	if status, answer := w.call(ctx, e.Flow, string(marshal(b))); status != 0 && status < 500 && status != 409 {
		w.broken("conflict", e.ID, "another content under its key was answered %d %s", status, answer)
	}
}

// order is what an operator did to a dead letter.
type order struct {
	ID    string // of the message
	Event string
	Do    kind
	Began time.Duration
	At    time.Duration // it ended
	Sure  bool          // it was said to be done
}

// operate does what a fault of a person's kind says.
func (w *world) operate(ctx context.Context, f fault) {
	p := w.running(f.On)
	if p == nil {
		return
	}
	w.count(f.Kind)
	switch f.Kind {
	case pausing:
		name := flows[f.On%len(flows)]
		_ = p.engine.Pause(ctx, name, true) // one that failed is no pause
		w.sleep(ctx, f.For)
		w.insist(func(p *process) error { return p.engine.Pause(context.Background(), name, false) })
	case closing:
		name := []string{"t", "weak"}[f.On%2]
		m := policy.Manual{From: time.Now(), Until: time.Now().Add(f.For), Who: "ana"}
		_ = p.engine.StartMaintenance(ctx, name, m) // it ends by itself
	default:
		w.letters(ctx, p, f)
	}
}

// insist repeats what a person will have done, on any replica that is up.
func (w *world) insist(do func(*process) error) {
	for n := 0; ; n++ {
		if p := w.running(n); p != nil && do(p) == nil {
			return
		}
		w.sleep(context.Background(), time.Second)
	}
}

// letters deals with some dead letters. Those whose outcome is uncertain are
// never sent again: that is what a person has to know.
func (w *world) letters(ctx context.Context, p *process, f fault) {
	box := &deadletter.Box{Driver: p.engine.Driver(), Live: p.engine.Worker().Live}
	list, _, err := box.List(ctx, deadletter.Query{})
	if err != nil {
		return
	}
	for _, l := range list {
		full, err := box.Show(ctx, l.ID, true)
		if err != nil || l.Cause == nil || l.Cause.Code == "uncertain" && f.Kind != dropping || w.intn(2) == 0 {
			continue
		}
		payload, ok := full.Payload.(map[string]any)
		if !ok {
			continue // nobody's; the judge sees it too
		}
		w.settle(ctx, box, l.ID, payload, f.Kind)
	}
}

// settle does with a dead letter what a person chose.
func (w *world) settle(ctx context.Context, box *deadletter.Box, letter string, payload map[string]any, do kind) {
	id, _ := payload["id"].(string)
	n := w.ordered(order{ID: letter, Event: id, Do: do})
	var err error
	switch do {
	case dropping:
		err = box.Discard(ctx, letter, "ana", "not needed")
	case mending:
		payload["amount"] = json.Number("1")
		if err = box.Edit(ctx, letter, payload, "ana", "a number"); err == nil {
			err = box.Replay(ctx, letter, deadletter.How{Who: "ana"})
		}
	default:
		err = box.Replay(ctx, letter, deadletter.How{Who: "ana"})
	}
	w.mu.Lock()
	w.orders[n].At, w.orders[n].Sure = w.now(), err == nil
	w.mu.Unlock()
}

// release mends the dead letters that hold up others, as somebody has to in the
// end.
func (w *world) release(ctx context.Context) {
	p := w.running(0)
	if p == nil {
		return
	}
	box := &deadletter.Box{Driver: p.engine.Driver(), Live: p.engine.Worker().Live}
	list, _, err := box.List(ctx, deadletter.Query{Filter: deadletter.Filter{Pipeline: "held"}})
	if err != nil {
		return
	}
	for _, l := range list {
		full, err := box.Show(ctx, l.ID, true)
		if err != nil {
			continue
		}
		if payload, ok := full.Payload.(map[string]any); ok {
			w.settle(ctx, box, l.ID, payload, mending)
		}
	}
}

func (w *world) ordered(o order) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	o.Began = w.now()
	w.orders = append(w.orders, o)
	return len(w.orders) - 1
}

// nemesis does what the plan says at its time.
func (w *world) nemesis(ctx context.Context, wg *sync.WaitGroup) {
	edition := 0
	for _, f := range w.plan.Faults {
		w.sleep(ctx, f.At-w.now())
		h := w.hosts[f.On%len(w.hosts)]
		switch f.Kind {
		case kill, stop:
			w.count(f.Kind)
			wg.Go(func() {
				if f.Kind == kill {
					h.kill()
				} else {
					h.stop()
				}
				w.sleep(ctx, f.For)
				h.again(context.Background())
			})
		case reloadGood:
			edition++
			w.mu.Lock()
			w.editions = append(w.editions, w.now())
			w.mu.Unlock()
			w.reload(wg, f.Kind, mapping(edition))
		case reloadBad:
			w.reload(wg, f.Kind, strings.Replace(mapping(edition), "from: .id", "from: .id |", 1))
		case pausing, closing, dropping, replaying, mending:
			wg.Go(func() { w.operate(ctx, f) })
		}
	}
}

// reload edits the definitions and tells all replicas.
func (w *world) reload(wg *sync.WaitGroup, k kind, text string) {
	w.count(k)
	if err := w.edit(text); err != nil {
		w.broken("edit", "", "%s", err)
		return
	}
	for _, h := range w.hosts {
		if p := h.proc.Load(); p != nil {
			wg.Go(func() {
				if r := p.engine.Reload(p.store.life); k == reloadBad && r.Result == "ok" {
					w.broken("edition", "", "a bad definition went live")
				}
			})
		}
	}
}
