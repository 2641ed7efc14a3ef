//go:build mutant

package mutant

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	chosen = ID(os.Getenv("CROSSDOCK_MUTANT"))
	death  = deathAt(os.Getenv("CROSSDOCK_CRASH_AT"))
	passed atomic.Int64
	begin  = time.Now()
)

// end is where the process dies.
type end struct {
	place    Place
	times    int64
	patience time.Duration // then any place will do; 0 waits for ever
}

// deathAt reads place:count:patience. Without a count it is the first time.
func deathAt(text string) end {
	name, rest, _ := strings.Cut(text, ":")
	count, patience, _ := strings.Cut(rest, ":")
	e := end{place: Place(name), times: 1}
	if n, err := strconv.ParseInt(count, 10, 64); err == nil {
		e.times = n
	}
	if d, err := time.ParseDuration(patience); err == nil {
		e.patience = d
	}
	return e
}

// On reports whether a mutant is chosen.
func On(id ID) bool { return id == chosen }

// Any reports whether a mutant is chosen.
func Any() bool { return chosen != "" }

// Crash ends the process, as kill -9 does, when the chosen place is passed for
// the chosen time, or at any place when that has not come in time.
func Crash(p Place) {
	if death.place == "" {
		return
	}
	late := death.patience > 0 && time.Since(begin) > death.patience
	if late || p == death.place && passed.Add(1) == death.times {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal has come
	}
}
