//go:build race

package dsltest

// Raced says that the race detector is on: it makes loading a workspace several
// times slower, and finds nothing in the four hundredth that was not in the
// hundredth. A test that does less then says so in its own function, as with
// Unraced.
const Raced = true
