package draft

import (
	"slices"
	"strings"
	"time"

	"crossdock/dsl/value"
)

// typed is what a line says of the type of its value and of how that is written.
// unread are the words in it that mean nothing here, for a note: a type of another
// system, or a date of which nobody says how it comes.
func (r mappingRow) typed() (keys, unread []string) {
	said := r.cells["type"]
	parse, format, zone := r.cells["parse"], r.cells["format"], r.cells["zone"]
	t, err := value.ParseType(strings.ToLower(said))
	known := said != "" && err == nil && t.Base != value.List && t.Base != value.Object && t.Base != value.Choice
	if known && t.Temporal() && parse == "" {
		known = false
	}
	if !known {
		for _, x := range []struct{ word, text string }{{"type", said}, {"comes as", parse}, {"is written as", format}, {"zone", zone}} {
			if x.text != "" {
				unread = append(unread, x.word+" "+x.text)
			}
		}
		return nil, unread
	}
	keys = append(keys, "type: "+t.String())
	for _, x := range []struct {
		key, word, text string
		parsing         bool
	}{{"parse", "comes as", parse, true}, {"format", "is written as", format, false}} {
		pattern, ok := patternOf(x.text, t, x.parsing)
		switch {
		case !ok:
			unread = append(unread, x.word+" "+x.text)
		case pattern != "":
			keys = append(keys, x.key+": "+quote(pattern))
		}
	}
	if _, err := time.LoadLocation(zone); zone != "" && (err != nil || zone == "Local" || t.Base != value.DateTime) {
		unread = append(unread, "zone "+zone)
	} else if zone != "" {
		keys = append(keys, "zone: "+zone)
	}
	return keys, unread
}

// patternOf is the pattern that a cell of a sheet means: as the language writes it,
// or as spreadsheets and databases do (DD.MM.YYYY HH24:MI). "" and true stand for
// ISO 8601, which needs none.
func patternOf(s string, t value.Type, parsing bool) (string, bool) {
	s = strings.TrimSpace(s)
	if plain := strings.NewReplacer(" ", "", "-", "").Replace(strings.ToLower(s)); plain == "" || t.Temporal() && (plain == "iso" || plain == "iso8601") {
		return "", true
	}
	tried := []string{s}
	if t.Temporal() {
		tried = append(tried, elsewhere(s))
	}
	at := slices.IndexFunc(tried, func(p string) bool { return len(value.CheckPattern(p, t, parsing)) == 0 })
	if at < 0 {
		return "", false
	}
	return tried[at], true
}

// elsewhere turns a pattern of a spreadsheet or database into one of the language:
// there the case of letters means nothing, and mm behind the hours is minutes.
func elsewhere(s string) string {
	lower := strings.NewReplacer("hh24", "hh", "mi", "mm").Replace(strings.ToLower(s))
	var b strings.Builder
	var before byte // the field in front
	for i := 0; i < len(lower); {
		c, n := lower[i], 1
		for i+n < len(lower) && lower[i+n] == c {
			n++
		}
		i += n
		switch letter := c; {
		case c == 't' && n == 1:
			b.WriteString("'T'")
			continue
		case c == 'm' && before != 'h':
			letter = 'M'
			fallthrough
		case c >= 'a' && c <= 'z':
			if c == 'h' && !strings.Contains(lower, "am") && !strings.Contains(lower, " a") {
				letter = 'H'
			}
			b.WriteString(strings.Repeat(string(letter), n))
			before = c
		default:
			b.WriteString(strings.Repeat(string(c), n))
		}
	}
	return b.String()
}
