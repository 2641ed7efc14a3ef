package compile

import (
	"strings"
	"time"

	"crossdock/dsl/spec"
)

// patience compiles what a connection says about the time the other system
// needs: limits, breaker and maintenance.
func (b *builder) patience(dec *spec.Decoder, c *Connection) {
	s := c.Spec
	c.Rate = Rate{s.Limits.Rate.N, s.Limits.Rate.Per}
	c.Quota = Quota{s.Limits.Quota.N, s.Limits.Quota.Period, b.zone(dec, s.Limits.Zone)}
	c.Reserve = s.Limits.ReserveCritical.N
	if s.Breaker != nil && s.Breaker.OpenAfter.Node != nil {
		c.Breaker = &Breaker{Failures: s.Breaker.OpenAfter.N, Within: s.Breaker.OpenAfter.Within, Probe: s.Breaker.ProbeAfter.Or(time.Minute)}
	}
	for i := range s.Maintenance {
		if w := b.window(dec, &s.Maintenance[i]); w != nil {
			c.Windows = append(c.Windows, w)
		}
	}
}

// zone returns the zone that is named, or that of the workspace.
func (b *builder) zone(dec *spec.Decoder, named spec.Text) string {
	switch base := b.ws.Spec.Defaults.Zone; {
	case named.Set() && checkZone(dec, named):
		return "UTC"
	case named.Set():
		return named.Value
	case base.Set():
		return base.Value
	}
	return "UTC"
}

// window compiles a maintenance window; nil where it cannot be.
func (b *builder) window(dec *spec.Decoder, s *spec.Window) *Window {
	w := &Window{Name: s.Name.Value, Cron: s.Cron.Value, Zone: b.zone(dec, s.Zone), Lasts: s.Lasts.D, Rate: Rate{s.After.Rate.N, s.After.Rate.Per}}
	d := s.During
	for i, word := range []spec.Text{d.Critical, d.High, d.Normal, d.Low} {
		if !word.Set() {
			word = d.Otherwise
		}
		w.Try[i] = word.Value == "try"
	}
	if !s.Cron.Set() || s.Lasts.Node == nil {
		return nil // said already
	}
	if err := b.opt.Catalog.Cron(s.Cron.Value, w.Zone); err != nil {
		if !strings.Contains(err.Error(), "no time zone") {
			dec.Errorf("XD4102", s.Cron.Span(), "%s", err)
		}
		return nil
	}
	if w.Lasts <= 0 {
		dec.Errorf("XD4102", s.Lasts.Node.Span, "a window that lasts no time is never open").Hint = "write how long the other system is closed, such as lasts: 4h"
		return nil
	}
	return w
}
