package dsltest

import (
	"syscall"
	"testing"
	"time"
)

// Used is the processor time that this process has taken. What takes long by the
// clock and little of it had to wait for others.
func Used(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
