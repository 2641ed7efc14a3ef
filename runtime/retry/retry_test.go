package retry

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPauseGrowsToItsBound(t *testing.T) {
	p := Policy{Attempts: 6, Wait: 5 * time.Second, Grow: 2, MaxWait: 30 * time.Second}
	want := []time.Duration{5, 10, 20, 30, 30}
	for i, w := range want {
		if got := p.Pause(i+1, 0); got != w*time.Second {
			t.Errorf("pause after attempt %d: %v, want %v", i+1, got, w*time.Second)
		}
	}
	if got := p.Longest(); got != 95*time.Second {
		t.Errorf("longest: %v", got)
	}
}

func TestPauseStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Wait: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait")), Grow: rapid.Float64Range(1, 100).Draw(t, "grow"),
			MaxWait: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "max")), Jitter: rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		got := p.Pause(rapid.IntRange(1, 1000).Draw(t, "done"), rapid.Float64Range(0, 0.999).Draw(t, "random"))
		if got < 0 || got > p.MaxWait {
			t.Fatalf("%+v: pause %v", p, got)
		}
	})
}

func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Failure
		want bool
	}{
		{"server error", Failure{Status: 503}, true},
		{"too many requests", Failure{Status: 429}, true},
		{"request timeout", Failure{Status: 408}, true},
		{"bad request", Failure{Status: 400}, false},
		{"unauthorized", Failure{Status: 401}, false},
		{"redirect", Failure{Status: 302}, false},
		{"no answer", Failure{Ambiguous: true}, true},
		{"refused", Failure{NotSent: true}, true},
		{"map error", Failure{Permanent: true}, false},
		{"200 with an error inside", Failure{Unfinished: true}, false},
	} {
		if got := Default.Repeats(c.f); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		header string
		want   time.Duration
		ok     bool
	}{
		{"120", 2 * time.Minute, true},
		{"Sun, 01 Mar 2026 12:05:00 GMT", 5 * time.Minute, true},
		{"1000000000", MaxRetryAfter, true},
		{"99999999999999999999", 0, false},
		{"-5", 0, false},
		{"Sun, 01 Mar 2026 11:00:00 GMT", 0, false},
		{"soon", 0, false},
		{"", 0, false},
	} {
		got, ok := After(c.header, now)
		if got != c.want || ok != c.ok {
			t.Errorf("%q: %v %v", c.header, got, ok)
		}
	}
	if got := Clamp(time.Second, time.Minute); got != time.Minute {
		t.Errorf("clamp below own pause: %v", got)
	}
}

// TestLongestIsTheSumOfAllPauses, also where it does not add them up one by one.
func TestLongestIsTheSumOfAllPauses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{Attempts: rapid.IntRange(0, 50).Draw(t, "attempts"),
			Wait: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait")), Grow: rapid.Float64Range(0, 3).Draw(t, "grow"),
			MaxWait: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max")),
		}
		var want time.Duration
		for i := 1; i < p.Attempts; i++ {
			want += p.Pause(i, 0)
		}
		if got := p.Longest(); got != want {
			t.Fatalf("%+v: %v, want %v", p, got, want)
		}
	})
}
