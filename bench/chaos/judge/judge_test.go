package judge

import (
	"maps"
	"slices"
	"testing"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/record"
	"crossdock/runtime/journal"
)

// scene is a run in which everything went well: ten messages of one key.
type scene struct {
	seen   record.Seen
	ledger Ledger
	ids    []string // of normal messages
	poison string
}

var stream = event.Stream{Seed: 1, Payload: 10}

func good(t *testing.T) *scene {
	s := &scene{seen: record.Seen{Edits: map[int]time.Duration{0: 0}}, ledger: Ledger{Accepted: map[string]int64{}}}
	at := time.Duration(0)
	for turn := 0; len(s.ids) < 10 || s.poison == ""; turn++ {
		e := stream.At("keyed", "k1", turn)
		at += time.Millisecond
		switch {
		case e.Class == event.Normal && len(s.ids) < 10:
			s.ids = append(s.ids, e.ID)
			s.seen.Arrivals = append(s.seen.Arrivals, record.Arrival{At: at, Done: at, Target: "keyed", ID: e.ID, Key: "key of " + e.ID, Attempt: 1, Applied: true, Answer: record.Clean, Status: 201})
		case e.Class == event.Poison && s.poison == "":
			s.poison = e.ID
			s.ledger.Dead = append(s.ledger.Dead, Letter{Message: "m" + e.ID, ID: e.ID, Known: true, Cause: "map"})
		default:
			continue
		}
		s.seen.Sent = append(s.seen.Sent, record.Sent{ID: e.ID, Result: record.OK, Word: "accepted", Message: "m" + e.ID})
		s.ledger.Accepted["keyed"]++
	}
	if len(s.ids) != 10 {
		t.Fatal("the scene has no ten messages")
	}
	b := journal.Balance{Accepted: 11, Delivered: 10, Dead: 1}
	s.ledger.API, s.ledger.Store, s.ledger.Found = b, b, journal.Balance{Dead: 1}
	return s
}

func (s *scene) judge() *Verdict {
	return Judge(plan.Plan{Duration: 100, Replicas: 1}, stream, s.seen, s.ledger)
}

func (s *scene) again(n int, at time.Duration, change func(*record.Arrival)) {
	a := s.seen.Arrivals[n]
	a.At, a.Done, a.Applied = at, at, false
	if change != nil {
		change(&a)
	}
	s.seen.Arrivals = append(s.seen.Arrivals, a)
}

// TestEveryWord breaks a good run in each way that the judge has a word for,
// and expects that word and no other.
func TestEveryWord(t *testing.T) {
	const late = 10 * time.Second
	cases := []struct {
		name, word string // word "" = nothing is wrong
		broken     func(*scene)
	}{
		{"all is well", "", func(*scene) {}},
		{"an effect is missing", "lost", func(s *scene) { s.seen.Arrivals = s.seen.Arrivals[1:] }},
		{"an effect is missing that waits in the store", "", func(s *scene) {
			s.ledger.Waiting = map[string]bool{"m" + s.seen.Arrivals[0].ID: true}
			s.seen.Arrivals = s.seen.Arrivals[1:]
		}},
		{"an unknown one is missing", "", func(s *scene) {
			s.seen.Sent[0].Result, s.seen.Arrivals = record.Unknown, s.seen.Arrivals[1:]
		}},
		{"a dead letter is missing", "lost", func(s *scene) {
			s.ledger.Dead, s.ledger.Store.Dead, s.ledger.Store.Accepted = nil, 0, 11
			s.ledger.API, s.ledger.Found = s.ledger.Store, journal.Balance{}
		}},
		{"a discard excuses it", "", func(s *scene) {
			s.ledger.Dead, s.ledger.Store.Dead, s.ledger.Store.Discarded = nil, 0, 1
			s.ledger.API, s.ledger.Found = s.ledger.Store, journal.Balance{}
			s.seen.Orders = []record.Order{{ID: s.poison, Do: "discard", Result: record.OK, At: late}}
		}},
		{"nobody sent it", "phantom", func(s *scene) {
			s.again(9, late, func(a *record.Arrival) { a.ID = "1/keyed/k1/9999"; a.Key = "x" })
		}},
		{"the wrong target", "phantom", func(s *scene) { s.again(9, late, func(a *record.Arrival) { a.Target = "naive" }) }},
		{"another content", "corrupt", func(s *scene) { s.seen.Arrivals[3].Wrong = "qty is 1, not 2" }},
		{"another key", "dup_effects", func(s *scene) {
			s.seen.Arrivals[9].Answer = record.Broken
			s.again(9, late, func(a *record.Arrival) { a.Key, a.Applied, a.Attempt = "another", true, 2 })
		}},
		{"overtaken", "reordered", func(s *scene) {
			s.seen.Arrivals[4].ID, s.seen.Arrivals[5].ID = s.seen.Arrivals[5].ID, s.seen.Arrivals[4].ID
		}},
		{"overtaken by one whose sender knows nothing", "", func(s *scene) {
			s.seen.Arrivals[4].ID, s.seen.Arrivals[5].ID = s.seen.Arrivals[5].ID, s.seen.Arrivals[4].ID
			for i := range s.seen.Sent {
				if s.seen.Sent[i].ID == s.seen.Arrivals[4].ID {
					s.seen.Sent[i].Result = record.Unknown
				}
			}
		}},
		{"never done", "stuck", func(s *scene) { s.ledger.Stuck = "3 messages are open" }},
		{"the sums", "unaccounted", func(s *scene) { s.ledger.Store.Unaccounted = 1; s.ledger.API = s.ledger.Store }},
		{"two readings", "unaccounted", func(s *scene) { s.ledger.API.Delivered++ }},
		{"counted otherwise", "unaccounted", func(s *scene) { s.ledger.Found.Open = 1 }},
		{"taken in twice", "unaccounted", func(s *scene) { s.ledger.Accepted["keyed"]++ }},
		{"back from the bin", "resurrected", func(s *scene) {
			s.seen.Orders = []record.Order{{ID: s.poison, Do: "discard", Result: record.OK}}
		}},
		{"answered well, sent again", "needless", func(s *scene) { s.again(9, late, func(a *record.Arrival) { a.Attempt = 2 }) }},
		{"a death excuses that", "", func(s *scene) {
			s.again(9, late, func(a *record.Arrival) { a.Attempt = 2 })
			s.seen.Troubles = []record.Disturbance{{Kind: "kill", Begin: time.Second, End: 2 * time.Second, Death: true}}
		}},
		{"a rolling restart does not excuse that", "needless", func(s *scene) {
			s.again(9, late, func(a *record.Arrival) { a.Attempt = 2 })
			s.seen.Troubles = []record.Disturbance{{Kind: "term", Begin: time.Second, End: 2 * time.Second}}
		}},
		{"one attempt twice", "hidden", func(s *scene) { s.seen.Arrivals[9].Answer = record.Broken; s.again(9, late, nil) }},
		{"an attempt that nobody made", "burned", func(s *scene) {
			s.seen.Arrivals[9].Answer = record.Failed
			s.again(9, late, func(a *record.Arrival) { a.Attempt = 3 })
		}},
		{"a pause that was asked for", "hasty", func(s *scene) {
			s.seen.Arrivals[9].Answer, s.seen.Arrivals[9].Status = record.Failed, 429
			s.again(9, s.seen.Arrivals[9].At+time.Second/2, func(a *record.Arrival) { a.Attempt, a.Status = 2, 201 })
		}},
		{"a repeat is new", "forgotten", func(s *scene) {
			s.seen.Sent = append(s.seen.Sent, record.Sent{ID: s.ids[0], Repeat: true, Result: record.OK, Word: "accepted", Message: "another"})
		}},
		{"a repeat is known", "", func(s *scene) {
			s.seen.Sent = append(s.seen.Sent, record.Sent{ID: s.ids[0], Repeat: true, Result: record.OK, Word: "duplicate", Message: "m" + s.ids[0]})
		}},
		{"not found", "refused", func(s *scene) { s.seen.Failures = []record.Failure{{ID: s.ids[0], Status: 404}} }},
		{"no answer", "failed_req", func(s *scene) { s.seen.Failures = []record.Failure{{ID: s.ids[0], What: "EOF"}} }},
		{"a good dead letter", "dead", func(s *scene) {
			s.ledger.Dead = append(s.ledger.Dead, Letter{Message: "x", ID: s.ids[0], Known: true})
			s.ledger.Store.Dead, s.ledger.Found.Dead = 2, 2
			s.ledger.API = s.ledger.Store
		}},
		{"an edition of nobody", "edition", func(s *scene) { s.seen.Arrivals[2].Edition = 900000 }},
		{"an edition before its time", "edition", func(s *scene) { s.seen.Edits[1] = late; s.seen.Arrivals[2].Edition = 1 }},
	}
	told := map[string]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := good(t)
			c.broken(s)
			v := s.judge()
			got := slices.Sorted(maps.Keys(v.Counts))
			if c.word == "" && len(got) == 0 || len(got) == 1 && got[0] == c.word {
				told[c.word] = true
				return
			}
			t.Errorf("the judge says %v %v, not %q", got, v.Examples, c.word)
		})
	}
	for _, w := range Words {
		if !told[w] {
			t.Errorf("no case has the word %q", w)
		}
	}
}

func TestAnEmptyRunProvesNothing(t *testing.T) {
	v := Judge(plan.Plan{Duration: 20000}, stream, record.Seen{Edits: map[int]time.Duration{0: 0}}, Ledger{})
	if v.Vacuous == "" {
		t.Error("an empty run counts")
	}
}
