package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Cron is a schedule of five fields (minute hour day month weekday) in a time
// zone.
//
// Where clocks are set forward, a run whose time is left out happens at the
// first instant after the gap. Where they are set back, a run at an hour that
// comes twice happens once, the first time. A schedule whose hour is `*` means
// every hour that passes: nothing is made up for and nothing left out.
//
// A Cron is immutable.
type Cron struct {
	text   string
	zone   *time.Location
	wall   *cron.SpecSchedule // over UTC, which stands for the clock on the wall
	hourly bool               // hour is *: follows real time
	real   *cron.SpecSchedule // over zone, for hourly
}

// Parse reads a schedule. zone is an IANA name; "" is UTC. The error tells
// people what is wrong and what to write.
func Parse(text, zone string) (*Cron, error) {
	loc, err := Zone(zone)
	if err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if err := precheck(text); err != nil {
		return nil, err
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return nil, wrongField(text, err)
	}
	wall, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("`%s` is not a schedule of five fields", text)
	}
	wall.Location = time.UTC
	real := *wall
	real.Location = loc
	const star = 1 << 63
	c := &Cron{text: text, zone: loc, wall: wall, real: &real, hourly: wall.Hour&star != 0 && strings.Fields(text)[1] == "*"}
	return c, nil
}

// Zone loads an IANA time zone by name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("there is no time zone `%s`; use a name such as Europe/Berlin or America/Chicago", name)
	}
	return loc, nil
}

var descriptors = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// precheck refuses what the parser takes for something else, or stumbles over.
func precheck(text string) error {
	upper := strings.ToUpper(text)
	switch fields := strings.Fields(text); {
	case text == "":
		return errors.New("the schedule is empty; write five fields: minute hour day month weekday")
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return errors.New("the time zone has a key of its own; write `zone: Europe/Berlin` beside `cron:`")
	case descriptors[strings.ToLower(text)] != "":
		return fmt.Errorf("write `%s` instead of `%s`", descriptors[strings.ToLower(text)], text)
	case descriptors["@"+strings.ToLower(text)] != "":
		return fmt.Errorf("`%s` is no schedule; write `%s`", text, descriptors["@"+strings.ToLower(text)])
	case strings.HasPrefix(text, "@"):
		return fmt.Errorf("`%s` is not known; write five fields: minute hour day month weekday", text)
	case len(fields) == 6:
		return fmt.Errorf("`%s` has six fields; there are five, without seconds: write `%s`", text, strings.Join(fields[1:], " "))
	case len(fields) != 5:
		count := fmt.Sprintf("%d fields", len(fields))
		if len(fields) == 1 {
			count = "one field"
		}
		return fmt.Errorf("`%s` has %s; there are five: minute hour day month weekday, such as `30 6 * * 1-5` for half past six from Monday to Friday", text, count)
	default:
		for _, part := range strings.Split(fields[4], ",") {
			if part == "7" || strings.HasSuffix(part, "-7") {
				return errors.New("weekday 7 is not known; Sunday is 0 or SUN")
			}
		}
		if strings.ContainsAny(upper, "L#W") && !named(upper) {
			return fmt.Errorf("`%s` uses L, W or #, which are not known", text)
		}
	}
	return nil
}

// named reports whether the letters of a schedule are all names of months and
// days.
func named(upper string) bool {
	for word := range strings.FieldsFuncSeq(upper, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		if !strings.Contains(" JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED THU FRI SAT ", " "+word+" ") {
			return false
		}
	}
	return !strings.Contains(upper, "#")
}

// parts are the five fields of a schedule, and what each takes.
var parts = []struct{ name, takes string }{
	{"minute", "0 to 59"}, {"hour", "0 to 23"}, {"day of the month", "1 to 31"}, {"month", "1 to 12 or JAN to DEC"}, {"weekday", "0 to 6 or SUN to SAT"},
}

// FieldError is about one field of a schedule.
type FieldError struct {
	Field   string // as written
	Message string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Message }

// Part is the text that is wrong.
func (e *FieldError) Part() string { return e.Field }

// wrongField names the field of a schedule that cannot be read. Each is tried on its
// own among stars.
func wrongField(text string, err error) error {
	for i, field := range strings.Fields(text) {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = field
		if _, bad := cron.ParseStandard(strings.Join(alone, " ")); bad != nil {
			return &FieldError{Field: field, Message: fmt.Sprintf("`%s` is no %s: that is %s", field, parts[i].name, parts[i].takes)}
		}
	}
	return fmt.Errorf("`%s` is not a schedule: %w", text, err)
}

// String returns the five fields.
func (c *Cron) String() string { return c.text }

// Zone returns the time zone.
func (c *Cron) Zone() *time.Location { return c.zone }

// Next returns the first run after t, the zero time where there is none within
// five years.
func (c *Cron) Next(t time.Time) time.Time {
	if c.hourly {
		return c.real.Next(t)
	}
	local := t.In(c.zone)
	_, offset := local.Zone()
	// Clocks never move by more than a day: from there on the wall only runs
	// behind t can be found, and none before it is missed.
	wall := asWall(local).Add(-25 * time.Hour)
	if offset == 0 && c.zone == time.UTC {
		wall = asWall(local)
	}
	for range 1_000_000 {
		wall = c.wall.Next(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		if at := c.instant(wall); at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// asWall turns what the clock on the wall shows into a time in UTC.
func asWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant returns when the clock on the wall shows wall: the first time where
// it does twice, the end of the gap where it never does.
func (c *Cron) instant(wall time.Time) time.Time {
	// The offsets that hold a day before and after embrace every change.
	for _, around := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, offset := wall.Add(around).In(c.zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(c.zone)
		if !asWall(at).Equal(wall) {
			continue
		}
		if around < 0 {
			return at // with the offset from before a change: the first of two
		}
		return at
	}
	return c.gapEnd(wall)
}

// gapEnd finds the first instant whose clock shows more than wall, by halving.
func (c *Cron) gapEnd(wall time.Time) time.Time {
	low, high := wall.Add(-26*time.Hour), wall.Add(26*time.Hour)
	for high.Sub(low) > time.Second {
		mid := low.Add(high.Sub(low) / 2).Truncate(time.Second)
		if asWall(mid.In(c.zone)).Before(wall) {
			low = mid
		} else {
			high = mid
		}
	}
	return high.In(c.zone)
}

// Problem is what lint has to say about a schedule.
type Problem struct {
	Message string
	Hint    string
	Warning bool
}

// Check looks at a schedule as a person would, from the time now on.
func Check(text, zone string, now time.Time) []Problem {
	c, err := Parse(text, zone)
	if err != nil {
		return []Problem{{Message: err.Error()}}
	}
	var all []Problem
	first := c.Next(now)
	if first.IsZero() {
		return []Problem{{Message: fmt.Sprintf("`%s` never comes", c.text), Hint: "no such day is in the calendar"}}
	}
	fields := strings.Fields(c.text)
	if !strings.HasPrefix(fields[2], "*") && !strings.HasPrefix(fields[4], "*") {
		all = append(all, Problem{Warning: true,
			Message: fmt.Sprintf("`%s` runs on each such day of the month, and also on each such weekday", c.text),
			Hint:    "to demand both, set one of them to * and decide in `when:`"})
	}
	if skipped, ok := c.gap(now); ok {
		all = append(all, Problem{Warning: true,
			Message: fmt.Sprintf("on %s clocks in %s leave %s out; this run happens at %s then", skipped.wall.Format("2 January 2006"), c.zone,
				skipped.wall.Format("15:04"), skipped.at.Format("15:04")),
			Hint: "choose a time that clocks never leave out, if that matters"})
	}
	return all
}

type gapRun struct{ wall, at time.Time }

// gap finds a run within two years whose time clocks leave out.
func (c *Cron) gap(now time.Time) (gapRun, bool) {
	if c.hourly || c.zone == time.UTC {
		return gapRun{}, false
	}
	end := asWall(now.In(c.zone)).AddDate(2, 0, 0)
	// Only days on which the offset changes need a look.
	for day := asWall(now.In(c.zone)).Truncate(24 * time.Hour); day.Before(end); day = day.AddDate(0, 0, 1) {
		_, before := day.Add(-2 * time.Hour).In(c.zone).Zone()
		_, after := day.Add(26 * time.Hour).In(c.zone).Zone()
		if after <= before {
			continue
		}
		for wall := c.wall.Next(day.Add(-time.Second)); !wall.IsZero() && wall.Before(day.Add(24*time.Hour)); wall = c.wall.Next(wall) {
			if at := c.instant(wall); !asWall(at).Equal(wall) {
				return gapRun{wall, at}, true
			}
		}
	}
	return gapRun{}, false
}
