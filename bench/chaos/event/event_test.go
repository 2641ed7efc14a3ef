package event

import "testing"

func TestEveryMessageFollowsFromItsID(t *testing.T) {
	s := Stream{Seed: 7, Payload: 50}
	for _, f := range Flows() {
		seen := map[int]bool{}
		swaps := 0
		for turn := range 4000 {
			e := s.At(f.Name, "k1", turn)
			back, ok := s.Parse(e.ID)
			if !ok || back != e {
				t.Fatalf("turn %d: %+v came back as %+v", turn, e, back)
			}
			if seen[e.Seq] {
				t.Fatalf("sequence number %d comes twice", e.Seq)
			}
			seen[e.Seq] = true
			if e.Seq != turn {
				swaps++
			}
		}
		for n := range 4000 {
			if !seen[n] {
				t.Fatalf("sequence number %d is missing", n)
			}
		}
		if swaps == 0 {
			t.Error("no messages are late")
		}
	}
	if _, ok := s.Parse("8/keyed/k1/1"); ok {
		t.Error("a message of another run is known")
	}
}
