package rig

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/bench/defstest"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	if h.Quantile(0.99) != 0 {
		t.Error("nothing has a quantile")
	}
	for i := range 10_000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	h.Add(-time.Second)
	for q, want := range map[float64]time.Duration{0.5: 5 * time.Second, 0.99: 9900 * time.Millisecond, 1: 10 * time.Second} {
		if got := h.Quantile(q); got > want || float64(got) < float64(want)*0.99 {
			t.Errorf("the quantile %v is %s, not %s", q, got, want)
		}
	}
	for d := time.Duration(1); d > 0; d = d*3 + 1 {
		if low := least(bucket(d)); low > d || float64(d-low) > float64(d)*0.008 {
			t.Errorf("%d became %d", d, low)
		}
	}
}

// delivery is what crossdock makes of a message.
func delivery(n, phase, key, seq int) []byte {
	return fmt.Appendf(nil, `{"at":0,"edition":"e7","k":%d,"n":%d,"note":"x","p":%d,"seq":%d}`, key, n, phase, seq)
}

// TestLedgerSeesWhatIsWrong plants every fault that the ledger has a word for.
func TestLedgerSeesWhatIsWrong(t *testing.T) {
	l := NewLedger()
	p := l.Phase("only", false)
	for n := range int64(6) {
		l.next.Add(1)
		l.state(n).Or(sent)
		what := ""
		if n == 5 {
			what = "answered 503"
		}
		p.answered(n, time.Millisecond, what)
	}
	for _, n := range []int{1, 0, 2, 2, 2, 3, 77} { // 0 comes behind 1, 4 never
		l.arrived(delivery(n, 0, 1, n))()
	}
	want := Counts{Sent: 6, Acked: 5, Failed: 1, Lost: 1, Doubled: 2, Reordered: 1, Strange: 1}
	if got := l.Counts(); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if v := (Verdict{Counts: want, Open: 1, Dead: 1, Unaccounted: -1}); len(v.Broken()) != 8 {
		t.Errorf("not all of it is said: %q", v.Broken())
	}
	if (Verdict{}).Broken() != nil {
		t.Error("a good run has faults")
	}
	if p.Delivered.Count() != 4 || len(l.Failures()) != 1 || !slices.Equal(l.Editions(), []string{"e7"}) {
		t.Errorf("%d delivered, failures %q, editions %q", p.Delivered.Count(), l.Failures(), l.Editions())
	}
}

func TestAcceptedCountsFromTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger()
		p := l.Phase("exact", true)
		l.next.Add(2)
		time.Sleep(time.Second)
		p.answered(0, time.Second, "")
		done := l.arrived(delivery(0, 0, 0, 0))
		time.Sleep(2 * time.Second)
		done()
		l.arrived(delivery(1, 0, 0, 1))() // before its sender has read the answer
		p.answered(1, time.Second, "")
		if low, high := p.Accepted(0), p.Accepted(1); low != 0 || high > 2*time.Second || high < 1980*time.Millisecond {
			t.Errorf("from %s to %s", low, high)
		}
		if whole := p.Delivered.Quantile(1); whole > 3*time.Second || whole < 2970*time.Millisecond {
			t.Errorf("%s from the sending on", whole)
		}
	})
}

// TestDefinitions holds the definitions to the language: good ones are good, and
// no faulty edit is one that may go live.
func TestDefinitions(t *testing.T) {
	defs := Workspace()
	file, text := Connection("shop", "concurrency: 16, timeout: 10s")
	defs[file] = text
	file, text = Pipeline("orders", "critical", "shop")
	defs[file] = text
	defstest.Hold(t, defs, BrokenMapping)
}
