//go:build !race

package jq

// withRace says that the race detector is on, which changes time and memory.
const withRace = false
