//go:build !race

package dsl_test

// withRace tells whether the race detector is on.
const withRace = false
