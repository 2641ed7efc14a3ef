package child

import "syscall"

// idlePriority is the class of what runs when nothing else wants to.
const idlePriority = 0x40

// attributes are how a child is started.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{CreationFlags: idlePriority} }

// lower does nothing: the child was started low.
func lower() {}
