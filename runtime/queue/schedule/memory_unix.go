//go:build unix

package schedule

import (
	"syscall"
	"unsafe"
)

// outside gets memory that the garbage collector does not know of. The collector
// lets the memory it knows of grow to twice of what is in use; a deep queue
// would pay for that. nil when the system gives none.
func outside(size uintptr) unsafe.Pointer {
	b, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return unsafe.Pointer(unsafe.SliceData(b))
}

// returned gives back what outside gave.
func returned(p unsafe.Pointer, size uintptr) {
	if err := syscall.Munmap(unsafe.Slice((*byte)(p), size)); err != nil {
		panic("memory is given back twice: " + err.Error())
	}
}
