package jq

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkNeighbour is how long after it is due a small cell has ended, alone and while a hundred hostile ones run again and again.
func BenchmarkNeighbour(b *testing.B) {
	small, problems := Compile(`{id: .no, lines: [.items[] | {sku, qty: (.qty * 2)}]}`, Options{})
	if small == nil {
		b.Fatal(problems)
	}
	in := decode(b, `{"no":"SO-1","items":[{"sku":"a","qty":1},{"sku":"b","qty":2},{"sku":"c","qty":3}]}`)
	var bombs []*Program
	for len(bombs) < 100 {
		for _, src := range []string{`last(range(1e12))`, `[range(1e12)]`, `reduce range(60) as $i ("ab"; . + .)`, `[range(300)] | [combinations(5)] | length`} {
			p, problems := Compile(src, Options{})
			if p == nil {
				b.Fatal(problems)
			}
			bombs = append(bombs, p)
		}
	}
	for _, c := range []struct {
		name  string
		bombs []*Program
	}{{"alone", nil}, {"bombs", bombs}} {
		b.Run(c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			for _, p := range c.bombs {
				wg.Go(func() {
					for ctx.Err() == nil {
						_, _ = p.Run(&Frame{Ctx: ctx}, nil) // each is stopped
					}
				})
			}
			var took []time.Duration
			done := make(chan error)
			var f Frame
			for b.Loop() {
				due := time.Now().Add(time.Millisecond) // a calm neighbour
				time.Sleep(time.Until(due))
				go func() {
					_, err := small.Run(&f, in)
					done <- err
				}()
				if err := <-done; err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(due))
			}
			cancel()
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
		})
	}
}
