package child

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

const (
	schedIdle     = 5  // a policy: runs when nobody else wants to
	lowest        = 19 // of the ordinary policy
	prSetPdeath   = 1
	firstToBeGone = "1000" // where the system runs out of memory
)

// attributes are how a child is started; it lowers itself. What this process was
// given open by whoever started it is not for the child either; what it has
// opened itself never is.
func attributes() *syscall.SysProcAttr {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, f := range files {
		if n, err := strconv.Atoi(f.Name()); err == nil && n > 2 {
			syscall.CloseOnExec(n)
		}
	}
	return nil
}

// lower makes the child the last that gets a processor and the first that is
// ended where memory is short, and makes it end with its parent. What the system
// does not allow is left out: then it competes as an equal, in its own memory.
func lower() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetPdeath, uintptr(syscall.SIGKILL), 0)
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(firstToBeGone), 0)
	lowered := map[string]bool{}
	for more := true; more; { // a thread has what the one had that started it
		more = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			lowerThread(0)
			return
		}
		for _, t := range threads {
			if id, err := strconv.Atoi(t.Name()); err == nil && !lowered[t.Name()] {
				lowerThread(id)
				lowered[t.Name()], more = true, true
			}
		}
	}
}

func lowerThread(id int) {
	var priority int32
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, lowest)
	_, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, uintptr(id), schedIdle, uintptr(unsafe.Pointer(&priority)))
}
