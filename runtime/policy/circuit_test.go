package policy

import (
	"testing"
	"time"
)

// TestOthersComeBackByThemselves: the message that was to try again may be taken
// by another replica, or its process may end. The others then wait a few pauses,
// not for ever and not for minutes where a pause is a second.
func TestOthersComeBackByThemselves(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct{ pause, most time.Duration }{
		{time.Second, 7 * time.Second}, {10 * time.Second, time.Minute + time.Second}, {time.Hour, time.Hour + everyoneElse + time.Second},
	} {
		b := NewCircuit(Trip{Failures: 1, Within: time.Minute, Probe: c.pause})
		b.Done(now, free, Failed)
		if _, _, first := b.Try(now); first.Sub(now) != c.pause {
			t.Errorf("pause %s: the first one comes back after %s", c.pause, first.Sub(now))
		}
		for range 20 {
			if _, _, other := b.Try(now); other.Sub(now) <= c.pause || other.Sub(now) > c.most {
				t.Errorf("pause %s: another one comes back after %s, not before %s", c.pause, other.Sub(now), c.most)
			}
		}
	}
}

// TestWithoutABreakerNothingOpens: a target that asked for a pause and fails
// after it is not cut off, where no breaker was asked for.
func TestWithoutABreakerNothingOpens(t *testing.T) {
	now := time.Unix(1000, 0)
	c := NewCircuit(Trip{})
	c.Pause(now, free, time.Second)
	now = now.Add(time.Second)
	p, _, _ := c.Try(now)
	if p != probe {
		t.Fatalf("after the pause Try says %d, not probe", p)
	}
	if !c.Done(now, p, Failed) {
		t.Error("those who wait for the end of the pause are not called")
	}
	for range 200 {
		p, cause, _ := c.Try(now)
		if p == refused {
			t.Fatalf("calls are refused: %s", cause)
		}
		c.Done(now, p, Failed)
	}
}

// A target that takes some calls a second, and answers 429 without a time to
// those beyond, is called each second: its pauses do not grow to a minute because
// it never lets enough calls pass to be taken for well.
func TestPausesStayShortWhereTheyWereLongEnough(t *testing.T) {
	for _, perSecond := range []int{3, 10, 50} {
		c, now := NewCircuit(Trip{}), time.Now()
		p, until := free, now
		for round := range 50 {
			until = c.Pause(now, p, 0)
			if until.Sub(now) > 2*time.Second {
				t.Fatalf("%d calls a second: the pause is %v after %d refusals", perSecond, until.Sub(now), round+1)
			}
			now = until
			for range perSecond {
				if p, _, _ = c.Try(now); p == refused {
					t.Fatalf("%d calls a second: the pause is over, and nothing is let go", perSecond)
				}
				c.Done(now, p, Answered)
			}
			p, _, _ = c.Try(now)
		}
	}
}

// Where a pause was too short, the next one is longer, up to a minute.
func TestPausesGrowWhileTheyAreTooShort(t *testing.T) {
	c, now := NewCircuit(Trip{}), time.Now()
	p := free
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		until := c.Pause(now, p, 0)
		if got := until.Sub(now); got != want*time.Second {
			t.Fatalf("the pause is %v, want %v", got, want*time.Second)
		}
		now = until
		p, _, _ = c.Try(now)
	}
}
