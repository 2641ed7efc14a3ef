//go:build !linux

package child

import "os"

// self is where the program that runs lies.
func self() (string, error) { return os.Executable() }
