// Package event is the messages of one run. Every one of them follows from the
// seed and its place alone: who sees an ID knows what the message was, and how
// it has to end.
package event

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Class says how a message has to end.
type Class string

// The classes of messages.
const (
	Normal   Class = "normal"   // has its effects
	Poison   Class = "poison"   // cannot be mapped: a dead letter
	Filtered Class = "filtered" // nothing to do
	Rejected Class = "rejected" // the target refuses it until it is mended
)

// Effect is one thing that a message does at a target.
type Effect struct {
	Target string
	Keyed  bool // the target knows idempotency keys
	HTTP   bool
}

// Flow is one pipeline as its sender knows it.
type Flow struct {
	Name    string
	Effects []Effect
	Files   bool // comes as lines of files, not as a webhook
	Refuses bool // its target refuses messages of the class Rejected
	Splits  bool // it goes on as several, each with an end of its own: none of them is poisoned
}

// Flows are the pipelines under test; the definitions in package stage are
// theirs.
func Flows() []Flow {
	return []Flow{
		{Name: "keyed", Effects: []Effect{{"keyed", true, true}}, Refuses: true},
		{Name: "naive", Effects: []Effect{{"naive", false, true}}, Refuses: true},
		{Name: "chain", Effects: []Effect{{"first", false, true}, {"second", true, true}}},
		{Name: "fan", Effects: []Effect{{"left", true, true}, {"right", false, true}}, Splits: true},
		{Name: "bus", Effects: []Effect{{"heard", true, true}}},
		{Name: "file", Effects: []Effect{{"file", false, false}}},
		{Name: "drop", Effects: []Effect{{"dropped", true, true}}, Files: true},
	}
}

// Find returns a flow by its name.
func Find(name string) (Flow, bool) {
	for _, f := range Flows() {
		if f.Name == name {
			return f, true
		}
	}
	return Flow{}, false
}

// Event is one message.
type Event struct {
	ID    string `json:"id"` // seed/flow/key/seq
	Flow  string `json:"flow"`
	Key   string `json:"key"`
	Seq   int    `json:"seq"`
	Class Class  `json:"class"`
	Qty   any    `json:"qty"`
	Price string `json:"price"`
	Note  string `json:"note"`

	Turn int `json:"-"` // its place among the messages of its key: they are sent in turns
}

// Stream makes the messages of one run.
type Stream struct {
	Seed    uint64
	Payload int // bytes of the note
}

const (
	poisonShare   = 0.01
	filteredShare = 0.01
	rejectedShare = 0.005
	swapShare     = 0.02
)

// swapped is the other way from turns to sequence numbers and back: now and
// then two neighbours are sent in the wrong order, as real systems do.
func (s Stream) swapped(flow, key string, n int) int {
	if n%4 != 2 && n%4 != 3 || s.random(flow, key, n/4, "swap").Float64() >= swapShare*2 {
		return n
	}
	return n ^ 1
}

func (s Stream) random(flow, key string, n int, what string) *rand.Rand {
	var h uint64 = 14695981039346656037
	for _, b := range []byte(flow + "\x00" + key + "\x00" + strconv.Itoa(n) + "\x00" + what) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(s.Seed, h))
}

// At returns the message that is sent at a turn of its key, counted from 0.
func (s Stream) At(flow, key string, turn int) Event {
	return s.of(flow, key, s.swapped(flow, key, turn), turn)
}

func (s Stream) of(flow, key string, seq, turn int) Event {
	r := s.random(flow, key, seq, "body")
	e := Event{ID: fmt.Sprintf("%d/%s/%s/%d", s.Seed, flow, key, seq), Flow: flow, Key: key, Seq: seq, Class: Normal, Turn: turn,
		Qty: r.IntN(1000) + 1, Price: fmt.Sprintf("%d.%d", r.IntN(500), r.IntN(9)+1)}
	e.Note = note(r, s.Payload)
	f, _ := Find(flow)
	switch x := r.Float64(); {
	case f.Splits && x < poisonShare:
	case x < poisonShare:
		e.Class, e.Qty = Poison, "many"
	case x < poisonShare+filteredShare:
		e.Class = Filtered
	case x < poisonShare+filteredShare+rejectedShare && f.Refuses:
		e.Class = Rejected
	}
	return e
}

func note(r *rand.Rand, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz \u00e4\u20ac\"\\"
	all := []rune(letters)
	var b strings.Builder
	for b.Len() < n {
		b.WriteRune(all[r.IntN(len(all))])
	}
	return b.String()
}

// Parse returns the message with an ID. It fails for an ID that no run with
// this seed has.
func (s Stream) Parse(id string) (Event, bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 || parts[0] != strconv.FormatUint(s.Seed, 10) {
		return Event{}, false
	}
	seq, err := strconv.Atoi(parts[3])
	if _, known := Find(parts[1]); err != nil || seq < 0 || !known {
		return Event{}, false
	}
	return s.of(parts[1], parts[2], seq, s.swapped(parts[1], parts[2], seq)), true
}

// MendedQty is what an operator writes into a poisoned message.
const MendedQty = 1

// Effects returns what the message does when nothing is in its way.
func (e Event) Effects() []Effect {
	f, _ := Find(e.Flow)
	if e.Class == Filtered {
		return nil
	}
	return f.Effects
}

// Want is the payload that its targets have to get, as decoded JSON with
// numbers as they are written; mended says that an operator has changed it.
// The edition of the mapping is not part of it.
func (e Event) Want(mended bool) map[string]string {
	qty := fmt.Sprint(e.Qty)
	if mended {
		qty = strconv.Itoa(MendedQty)
	}
	return map[string]string{"id": e.ID, "flow": e.Flow, "k": e.Key, "seq": strconv.Itoa(e.Seq), "qty": qty, "amount": e.Price + "0", "note": e.Note}
}
