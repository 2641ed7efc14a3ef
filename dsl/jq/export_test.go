package jq

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What the tests of the sandbox share with those of this package.

// Hostile returns the cells that try to take the process down, and what they
// work on.
func Hostile(t testing.TB) (sources []string, inputs []func() any) {
	for _, h := range hostileCells {
		sources = append(sources, h.src)
		inputs = append(inputs, func() any { return bigInput(t, h.in) })
	}
	return sources, inputs
}

// Draw draws a cell with the variables $v and $w, their values and its input.
func Draw(rt *rapid.T, t testing.TB) (src string, vals []any, in any) {
	g := grammar{rt}
	src = g.expr(rapid.IntRange(0, 4).Draw(rt, "depth"))
	return src, []any{decode(t, g.json(2)), decode(t, g.json(1))}, decode(t, g.json(3))
}

// Decode reads JSON as messages are read.
func Decode(t testing.TB, text string) any { return decode(t, text) }

// Tables are options with crosswalks.
func Tables(vars ...string) Options { return testOptions(vars...) }

// Met makes p a program that has met a limit.
func Met(p *Program) { p.met.Store(true) }

// Late reports whether a run went on for too long.
func Late(took, used time.Duration) bool { return late(took, used) }
