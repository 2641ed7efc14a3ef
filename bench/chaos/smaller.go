package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/shrink"
)

// tries is how often a smaller plan is run before it is believed to be good:
// real processes do not repeat themselves exactly.
const tries = 3

// smaller looks for the smallest set of faults with which a plan still fails,
// and writes it down.
func (c *chaos) smaller(ctx context.Context, p plan.Plan) error {
	faults, err := shrink.Smallest(p.Faults, func(some []plan.Fault) (bool, error) {
		q := p
		q.Faults = some
		for range tries {
			_, err := c.one(ctx, q)
			if errors.Is(err, errBroken) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	p.Faults = faults
	path := filepath.Join(c.tmp, fmt.Sprintf("smaller-%d.json", p.Seed))
	if c.keep != "" {
		path = filepath.Join(c.keep, fmt.Sprintf("smaller-%d.json", p.Seed))
	}
	fmt.Printf("%d faults are enough:\n", len(faults))
	for _, f := range faults {
		fmt.Println(" ", f)
	}
	return p.Write(path)
}
