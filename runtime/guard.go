package runtime

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"crossdock/connectors/schedule"
	"crossdock/dsl/compile"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// guard makes what stands before a connection.
func (e *Engine) guard(c *compile.Connection) (*policy.Guard, error) {
	_, shared := e.driver.(queue.Shared)
	l := policy.Limits{Name: c.Name, Operations: slices.Sorted(maps.Keys(c.Operations)), Concurrency: c.Concurrency, Reserve: c.Reserve,
		Rate: c.Rate.N, Per: c.Rate.Per, Quota: c.Quota.N, Period: policy.Period(c.Quota.Period), Store: e.driver, Shared: shared}
	if b := c.Breaker; b != nil {
		l.Trip = policy.Trip{Failures: b.Failures, Within: b.Within, Probe: b.Probe}
	}
	if c.Quota.N > 0 {
		zone, err := schedule.Zone(c.Quota.Zone)
		if err != nil {
			return nil, err
		}
		l.Zone = zone
	}
	for _, w := range c.Windows {
		cron, err := schedule.Parse(w.Cron, w.Zone)
		if err != nil {
			return nil, fmt.Errorf("maintenance %s: %w", w.Name, err)
		}
		l.Windows = append(l.Windows, &policy.Window{Name: w.Name, Next: func(t time.Time) time.Time { return cron.Next(t) },
			Lasts: w.Lasts, Try: w.Try, Rate: w.Rate.N, Per: w.Rate.Per})
	}
	return policy.NewGuard(l), nil
}

// limitsDigest is the same for connections of which the guard would be the same.
func limitsDigest(c *compile.Connection) string {
	text := fmt.Sprint(slices.Sorted(maps.Keys(c.Operations)), c.Concurrency, c.Reserve, c.Rate, c.Quota)
	if c.Breaker != nil {
		text += fmt.Sprint(*c.Breaker)
	}
	for _, w := range c.Windows {
		text += fmt.Sprintf(" %q", fmt.Sprint(*w))
	}
	return text
}
