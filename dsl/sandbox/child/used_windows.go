package child

import (
	"syscall"
	"time"
)

// used is how long this process has had a processor.
func used() time.Duration {
	var created, ended, kernel, user syscall.Filetime
	process, err := syscall.GetCurrentProcess()
	if err != nil || syscall.GetProcessTimes(process, &created, &ended, &kernel, &user) != nil {
		return time.Since(began)
	}
	return units(kernel) + units(user)
}

// units are of 100 ns; Filetime.Nanoseconds is for points of time.
func units(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}

// began is for systems that do not say.
var began = time.Now()
