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
	all := len(p.Faults)
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
	fmt.Printf("%d of %d faults are enough:\n", len(faults), all)
	for _, f := range faults {
		fmt.Println(" ", f)
	}
	parent, err := c.parent()
	if err != nil {
		return err
	}
	path := filepath.Join(parent, fmt.Sprintf("smaller-%d.json", p.Seed))
	fmt.Println("kept in", path)
	return p.Write(path)
}
