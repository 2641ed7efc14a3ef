package recording

import (
	"testing"

	"crossdock/runtime/testrun"
)

// TestEnding: a recording that was held says so.
func TestEnding(t *testing.T) {
	var held testrun.Rehearsal
	held.Parked = []string{"quarantined: it does not fit order@1"}
	if got := ending(&held); got != "held" {
		t.Errorf("%q", got)
	}
}
