package main

import (
	"strings"
	"testing"
	"time"

	"crossdock/bench/rig"
)

// TestFlat plants a leak of each kind beside figures that only go up and down.
func TestFlat(t *testing.T) {
	run := func(leak func(*sample, int)) *trial {
		m := &trial{result: Result{Figures: map[string]any{}}}
		var samples []sample
		for i := range 120 {
			wave := int64(i % 7)
			s := sample{At: time.Duration(i) * time.Second, Vitals: rig.Vitals{RSS: 100e6 + wave*1e6, Heap: 20e6 + wave*1e6, Goroutines: 300 + wave, Files: 150 + wave},
				Open: wave * 20, Store: 500e6 + wave*10e6, Delivered: int64(i) * 2000}
			leak(&s, i)
			samples = append(samples, s)
		}
		m.flat(samples)
		return m
	}
	steady := run(func(*sample, int) {})
	if len(steady.result.Broken) > 0 {
		t.Errorf("a steady run: %q", steady.result.Broken)
	}
	for name, leak := range map[string]func(*sample, int){
		"heap":        func(s *sample, i int) { s.Heap += int64(i) * 400e3 },
		"resident":    func(s *sample, i int) { s.RSS += int64(i) * 500e3 },
		"goroutines":  func(s *sample, i int) { s.Goroutines += int64(i) * 3 / 2 },
		"descriptors": func(s *sample, i int) { s.Files += int64(i) },
		"open":        func(s *sample, i int) { s.Open += int64(i) * 20 },
		"store":       func(s *sample, i int) { s.Store += int64(i) * 10e6 },
	} {
		if got := run(leak).result.Broken; len(got) != 1 || !strings.Contains(got[0], name) {
			t.Errorf("a leak of %s: %q", name, got)
		}
	}
}
