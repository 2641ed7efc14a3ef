//go:build unix && !linux

package child

import "syscall"

// attributes are how a child is started; it lowers itself.
func attributes() *syscall.SysProcAttr { return nil }

// lower makes the child the last that gets a processor.
func lower() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19) }
