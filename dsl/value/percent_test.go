package value_test

import (
	"testing"

	"crossdock/dsl/value"
)

func TestOfPercents(t *testing.T) {
	for from, want := range map[string]string{
		"%Y-%m-%d":           "yyyy-MM-dd",
		"%d.%m.%y %H:%M":     "dd.MM.yy HH:mm",
		"%Y-%m-%dT%H:%M:%S":  "yyyy-MM-dd'T'HH:mm:ss",
		"%-d %b %Y":          "d MMM yyyy",
		"%m/%d/%Y %I:%M %p":  "MM/dd/yyyy hh:mm a",
		"%Y-%m-%d %H:%M:%S%": "",
		"%Q":                 "",
	} {
		if got := value.OfPercents(from); got != want {
			t.Errorf("%s became %q, want %q", from, got, want)
		}
	}
}
