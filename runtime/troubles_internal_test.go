package runtime

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeldomAskedIsNotForgotten: a source that asks once an hour fails from one
// time to the next.
func TestSeldomAskedIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all troubles
		for range failuresInARow {
			time.Sleep(time.Hour)
			all.note("feed", time.Hour, errors.New("503"))
		}
		time.Sleep(time.Hour)
		if all.list(time.Now(), failuresInARow)["feed"] != "503" {
			t.Error("it is forgotten before it could ask again")
		}
		time.Sleep(time.Hour)
		if len(all.list(time.Now(), failuresInARow)) > 0 {
			t.Error("it is not forgotten, and nobody asks any more")
		}
	})
}
