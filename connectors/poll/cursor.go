package poll

import (
	"math/big"
	"strings"
	"time"

	"crossdock/connectors"
)

// Compare orders two cursor values: as times where both are times, as numbers
// where both are numbers, else as text.
func Compare(a, b any) int {
	x, _ := connectors.ScalarText(a)
	y, _ := connectors.ScalarText(b)
	if s, _, ok := readTime(x); ok {
		if t, _, ok := readTime(y); ok {
			return s.Compare(t)
		}
	}
	if s, ok := readNumber(x); ok {
		if t, ok := readNumber(y); ok {
			return s.Cmp(t)
		}
	}
	return strings.Compare(x, y)
}

// layouts of times that are known, with and without a zone. Fractions of
// seconds are read by all.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"}

// readTime reads a time and returns the layout in which it is written.
func readTime(text string) (time.Time, string, bool) {
	if len(text) < 10 || text[4] != '-' {
		return time.Time{}, "", false
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if _, fraction, ok := strings.Cut(text, "."); ok && strings.Contains(layout, ":05") {
			n := 0
			for n < len(fraction) && fraction[n] >= '0' && fraction[n] <= '9' {
				n++
			}
			layout = strings.Replace(layout, ":05", ":05."+strings.Repeat("0", n), 1)
		}
		return t, layout, true
	}
	return time.Time{}, "", false
}

// readNumber reads a plain decimal number; exponents are bounded.
func readNumber(text string) (*big.Rat, bool) {
	if text == "" || len(text) > 100 || strings.ContainsAny(text, "/_xXpPbBoOnN") {
		return nil, false
	}
	if mantissa, exp, ok := strings.Cut(strings.ToLower(text), "e"); ok && (mantissa == "" || len(exp) > 4) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// StepBack returns a cursor value that lies earlier by overlap, in the same
// notation. Values that are no times stay as they are.
func StepBack(v any, overlap time.Duration) any {
	text, ok := v.(string)
	if !ok || overlap <= 0 {
		return v
	}
	t, layout, ok := readTime(text)
	if !ok {
		return v
	}
	return t.Add(-overlap).Format(layout)
}
