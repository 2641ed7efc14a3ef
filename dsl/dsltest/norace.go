//go:build !race

package dsltest

// Raced says that the race detector is on.
const Raced = false
