//go:build unix

package child

import (
	"syscall"
	"time"
)

// used is how long this process has had a processor.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return time.Since(began)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// began is for systems that do not say.
var began = time.Now()
