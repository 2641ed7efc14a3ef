//go:build mutant

package mutant

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var (
	chosen       = ID(os.Getenv("CROSSDOCK_MUTANT"))
	place, times = crashAt(os.Getenv("CROSSDOCK_CRASH_AT"))
	passed       atomic.Int64
)

// crashAt reads place:count; without a count it is the first time.
func crashAt(text string) (Place, int64) {
	name, count, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	return Place(name), n
}

// On reports whether a mutant is chosen.
func On(id ID) bool { return id == chosen }

// Any reports whether a mutant is chosen.
func Any() bool { return chosen != "" }

// Crash ends the process, as kill -9 does, when the chosen place is passed for
// the chosen time.
func Crash(p Place) {
	if p == place && passed.Add(1) == times {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal has come
	}
}
