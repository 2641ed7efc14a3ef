package schedule

import "time"

// mostTimes bounds how many times of a schedule are looked at: a week of minutes
// and more.
const mostTimes = 12_000

// Covers reports whether spans of that length, one from each time of a schedule
// on, leave no time between them, and how far apart the times are at most. Clocks
// that change make no difference.
func Covers(text string, lasts time.Duration, from time.Time) (apart time.Duration, always bool) {
	c, err := Parse(text, "UTC")
	if err != nil {
		return 0, false
	}
	from = from.UTC()
	last := c.Next(from)
	for range mostTimes {
		next := c.Next(last)
		if next.IsZero() || next.Sub(last) > lasts {
			return 0, false
		}
		apart = max(apart, next.Sub(last))
		if last = next; last.After(from.AddDate(1, 1, 0)) {
			break
		}
	}
	return apart, true
}
