package value

import "strings"

// parseISO reads the ISO 8601 forms of RFC 3339 and its near relatives: T or a
// blank between date and time, seconds and offset optional, the offset as Z,
// +02, +0200 or +02:00, a point or a comma before the fraction. A date may be
// followed by a time; whether that fits the type is seen later.
func parseISO(s string, base Base) (m moment, ok bool) {
	r := reader{s: s}
	if base == Time {
		return m, r.clock(&m) && r.at == len(s)
	}
	if !r.isoDate(&m) {
		return m, false
	}
	if r.at == len(s) {
		return m, base == Date
	}
	if c := s[r.at]; c != 'T' && c != 't' && c != ' ' {
		return m, false
	}
	r.at++
	if !r.clock(&m) {
		return m, false
	}
	if r.at < len(s) && !r.offset(&m, true, 0) {
		return m, false
	}
	return m, r.at == len(s)
}

func (r *reader) isoDate(m *moment) bool {
	var ok bool
	if m.year, _, ok = r.number(4, 4); !ok || !r.literal("-") {
		return false
	}
	if m.month, _, ok = r.number(2, 2); !ok || !r.literal("-") {
		return false
	}
	m.day, _, ok = r.number(2, 2)
	m.hasDate = true
	return ok
}

// clock reads HH:mm, with seconds and a fraction where they stand there.
func (r *reader) clock(m *moment) bool {
	var ok bool
	m.hasTime = true
	if m.hour, _, ok = r.number(2, 2); !ok || !r.literal(":") {
		return false
	}
	if m.min, _, ok = r.number(2, 2); !ok {
		return false
	}
	if !r.literal(":") {
		return true
	}
	if m.sec, _, ok = r.number(2, 2); !ok {
		return false
	}
	if r.literal(".") || r.literal(",") {
		return r.fraction(m, 1, 9)
	}
	return true
}

// guess looks at a value that ISO 8601 does not cover and names the pattern
// that would, without ever using it.
func (t *temporal) guess(v any) string {
	s, ok := Text(v)
	if !ok || t.base == Time {
		return ""
	}
	if _, number := v.(string); !number && Kind(v) != "number" {
		return ""
	}
	switch {
	case onlyDigits(s) && strings.Trim(s, "0") == "" && s != "":
		return "an empty date: `select(test(\"[1-9]\"))` in jq makes it missing"
	case onlyDigits(s) && len(s) == 8:
		return "add `parse: yyyyMMdd`"
	case onlyDigits(s) && len(s) == 12:
		return "add `parse: yyyyMMddHHmm`"
	case onlyDigits(s) && len(s) == 14:
		return "add `parse: yyyyMMddHHmmss`"
	case onlyDigits(s) && len(s) == 13:
		return "add `parse: epoch_ms`"
	case onlyDigits(s) && len(s) == 10:
		return "add `parse: epoch`"
	case onlyDigits(s) && len(s) == 6:
		return "add `parse: yyMMdd`"
	case strings.HasPrefix(s, "/Date("):
		return "add `parse: odata`"
	case strings.Count(s, ".") >= 2:
		return "add the pattern, for example `parse: dd.MM.yyyy" + clockPattern(s) + "`"
	case strings.Count(s, "/") == 2:
		return "add the pattern: `parse: MM/dd/yyyy" + clockPattern(s) + "` (US) or `parse: dd/MM/yyyy" + clockPattern(s) + "`"
	case t.base == DateTime && len(s) == 10:
		if _, ok := parseISO(s, Date); ok {
			return "it has no time of day: use `type: date`"
		}
	}
	return "add `parse: ` with the pattern of the text"
}

// clockPattern is how the time of day behind a date is written, "" where there is
// none.
func clockPattern(s string) string {
	_, clock, found := strings.Cut(strings.TrimSpace(s), " ")
	if !found || !strings.Contains(clock, ":") {
		return ""
	}
	minutes := "mm"
	if strings.Count(clock, ":") > 1 {
		minutes = "mm:ss"
	}
	switch upper := strings.ToUpper(clock); {
	case strings.HasSuffix(upper, " AM") || strings.HasSuffix(upper, " PM"):
		return " h:" + minutes + " a"
	case strings.HasSuffix(upper, "AM") || strings.HasSuffix(upper, "PM"):
		return " h:" + minutes + "a"
	}
	return " HH:" + minutes
}
