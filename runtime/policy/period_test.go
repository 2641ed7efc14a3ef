package policy

import "testing"

func TestPeriodsAsSaid(t *testing.T) {
	for p, want := range map[Period]string{Hour: "an hour", Day: "a day", Month: "a month"} {
		if got := p.each(); got != want {
			t.Errorf("%s: %q, want %q", p, got, want)
		}
	}
}
