package dsltest

import "testing"

// Unraced leaves a test out under the race detector, which makes it several
// times slower, takes memory of its own, and sees nothing in it that it does not
// see in other tests. The gate runs each test that says Unraced or Raced without
// the race detector, too: .ci/run finds them by these words, which therefore
// stand in the function of the test itself.
func Unraced(t testing.TB, why string) {
	t.Helper()
	if Raced {
		t.Skip(why + ": .ci/run runs it without the race detector, in the step `unraced`")
	}
}
