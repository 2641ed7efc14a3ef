//go:build !mutant

package mutant

// On reports whether a mutant is chosen: never in this build.
func On(ID) bool { return false }

// Crash ends the process at a chosen place: never, in this build.
func Crash(Place) {}

// Any reports whether a mutant is chosen: never, in this build.
func Any() bool { return false }
