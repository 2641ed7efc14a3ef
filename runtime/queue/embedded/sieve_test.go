package embedded

import (
	"fmt"
	"testing"
	"time"
)

// A sieve never denies a key that is there, and seldom fails to deny one that is
// not.
func TestSieve(t *testing.T) {
	s := newSieve()
	if s.lacks("x") {
		t.Fatal("a sieve that is not ready denies a key")
	}
	s.ready.Store(true)
	const n = 120_000
	now := time.Now()
	for i := range n {
		s.add(fmt.Sprint("k", i), now.Add(time.Duration(i)))
		if i == n/2 {
			(*s.parts.Load())[0].n = sieveKeys // as if it were full
		}
	}
	for i := range n {
		if s.lacks(fmt.Sprint("k", i)) {
			t.Fatalf("key %d is denied", i)
		}
	}
	wrong := 0
	for i := range 100_000 {
		if !s.lacks(fmt.Sprint("other", i)) {
			wrong++
		}
	}
	if wrong > 3000 {
		t.Errorf("%d of 100000 unknown keys are not denied", wrong)
	}
	s.forget(now.Add(time.Hour))
	if parts := *s.parts.Load(); len(parts) != 1 {
		t.Errorf("%d parts are left, want the one that still grows", len(parts))
	}
	s.add("for ever", time.Time{})
	if s.forget(now.Add(1000 * time.Hour)); s.lacks("for ever") {
		t.Error("a key without end is denied")
	}
}
