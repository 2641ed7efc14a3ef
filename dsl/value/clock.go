package value

import (
	"strconv"
	"strings"
	"time"
)

var (
	monthNames   = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdayNames = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// pivot is the two-digit year from which the century is 19: 69 is 1969 and 68
// is 2068, as POSIX has it.
const pivot = 69

// reader walks through a text; after a failure ok stays false.
type reader struct {
	s  string
	at int
}

// number reads between least and most digits.
func (r *reader) number(least, most int) (n, digits int, ok bool) {
	for digits < most && r.at < len(r.s) && r.s[r.at] >= '0' && r.s[r.at] <= '9' {
		n = n*10 + int(r.s[r.at]-'0')
		r.at++
		digits++
	}
	return n, digits, digits >= least
}

func (r *reader) literal(text string) bool {
	if !strings.HasPrefix(r.s[r.at:], text) {
		return false
	}
	r.at += len(text)
	return true
}

// name reads one of names, whole or, where short, its first three letters, and
// returns its place from 1.
func (r *reader) name(names []string, short bool) int {
	rest := r.s[r.at:]
	for i, name := range names {
		if short {
			name = name[:3]
		}
		if len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) {
			r.at += len(name)
			return i + 1
		}
	}
	return 0
}

// offset reads Z, +hh, +hhmm or +hh:mm. Colon says whether a colon must (1),
// must not (-1) or may (0) stand there.
func (r *reader) offset(m *moment, zulu bool, colon int) bool {
	if r.at >= len(r.s) {
		return false
	}
	c := r.s[r.at]
	if zulu && (c == 'Z' || c == 'z') {
		r.at++
		m.offset, m.hasOffset, m.utc = 0, true, true
		return true
	}
	if c != '+' && c != '-' {
		return false
	}
	r.at++
	hours, _, ok := r.number(2, 2)
	if !ok || hours > 18 {
		return false
	}
	minutes := 0
	hasColon := r.at < len(r.s) && r.s[r.at] == ':'
	if hasColon && colon >= 0 {
		r.at++
		if minutes, _, ok = r.number(2, 2); !ok {
			return false
		}
	} else if !hasColon && colon <= 0 && r.at < len(r.s) && r.s[r.at] >= '0' && r.s[r.at] <= '9' {
		if minutes, _, ok = r.number(2, 2); !ok {
			return false
		}
	} else if colon == 1 {
		return false
	}
	if minutes > 59 {
		return false
	}
	m.offset, m.hasOffset = (hours*60+minutes)*60, true
	if c == '-' {
		m.offset = -m.offset
	}
	return true
}

// field reads one element of a pattern.
func (r *reader) field(e element, m *moment) bool {
	width := func(most int) (int, bool) {
		least := e.count
		if e.count == 1 {
			least = 1
		} else {
			most = e.count
		}
		n, _, ok := r.number(least, most)
		return n, ok
	}
	var ok bool
	switch e.letter {
	case 0:
		return r.literal(e.text)
	case 'y', 'u':
		return r.year(m, e.count)
	case 'M':
		if e.count > 2 {
			m.month = r.name(monthNames[:], e.count == 3)
			return m.month > 0
		}
		m.month, ok = width(2)
		ok = ok && m.month > 0
	case 'd':
		m.day, ok = width(2)
	case 'D':
		m.yearDay, ok = width(3)
		ok = ok && m.yearDay > 0
	case 'H', 'h':
		m.hasTime = true
		m.hour, ok = width(2)
	case 'm':
		m.hasTime = true
		m.min, ok = width(2)
	case 's':
		m.hasTime = true
		m.sec, ok = width(2)
	case 'S':
		return r.fraction(m, e.count, e.count)
	case 'a':
		m.half = r.half()
		return m.half > 0
	case 'E':
		m.weekday = r.name(weekdayNames[:], e.count < 4)
		return m.weekday > 0
	case 'X', 'x', 'Z':
		return r.offset(m, e.letter == 'X' || e.count == 5, [...]int{0, 0, -1, 1, 1, 1}[offsetStyle(e)])
	case 'V':
		return r.zone(m)
	}
	return ok
}

func (r *reader) year(m *moment, digits int) (ok bool) {
	m.hasDate = true
	if digits != 2 {
		m.year, _, ok = r.number(4, 4)
		return ok
	}
	if m.year, _, ok = r.number(2, 2); ok {
		m.year += 1900
		if m.year < 1900+pivot {
			m.year += 100
		}
	}
	return ok
}

// offsetStyle returns how many of X an element amounts to: Z, ZZ and ZZZ are
// xx, and ZZZZZ is XXX.
func offsetStyle(e element) int {
	if e.letter == 'Z' && e.count < 4 {
		return 2
	}
	return e.count
}

func (r *reader) fraction(m *moment, least, most int) bool {
	n, digits, ok := r.number(least, most)
	if !ok {
		return false
	}
	m.fraction = digits
	for range 9 - digits {
		n *= 10
	}
	m.nanos = n
	return true
}

func (r *reader) half() int {
	rest := r.s[r.at:]
	for _, h := range []struct {
		text string
		half int
	}{{"a.m.", 1}, {"p.m.", 2}, {"am", 1}, {"pm", 2}} {
		if len(rest) >= len(h.text) && strings.EqualFold(rest[:len(h.text)], h.text) {
			r.at += len(h.text)
			return h.half
		}
	}
	return 0
}

func (r *reader) zone(m *moment) bool {
	end := r.at
	for end < len(r.s) && (r.s[end] == '/' || r.s[end] == '_' || r.s[end] == '-' || r.s[end] == '+' || isAlphanumeric(r.s[end])) {
		end++
	}
	loc, err := LoadZone(r.s[r.at:end])
	if err != nil {
		return false
	}
	m.zone, r.at = loc, end
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// parseElements reads all of s by a pattern.
func parseElements(s string, elements []element) (m moment, ok bool) {
	r := reader{s: s}
	for _, e := range elements {
		if !r.field(e, &m) {
			return m, false
		}
	}
	return m, r.at == len(s)
}

// parseSpecial reads epoch, epoch_ms and odata.
func parseSpecial(s, pattern string) (m moment, ok bool) {
	offset := 0
	if pattern == patternOData {
		s, ok = strings.CutPrefix(s, "/Date(")
		if !ok {
			return m, false
		}
		if s, ok = strings.CutSuffix(s, ")/"); !ok {
			return m, false
		}
		if i := strings.LastIndexAny(s, "+-"); i > 0 {
			minutes, err := strconv.Atoi(s[i:])
			if err != nil || minutes < -18*60 || minutes > 18*60 {
				return m, false
			}
			s, offset = s[:i], minutes*60
		}
	}
	d, err := ParseDecimal(s)
	if err != nil {
		return m, false
	}
	shift := 0
	if pattern != patternEpoch {
		shift = 3
	}
	return momentOf(d, shift, offset)
}

// momentOf returns the moment of d seconds (shift 0) or milliseconds (shift 3)
// since 1970, exact to the nanosecond.
func momentOf(d Decimal, shift, offset int) (m moment, ok bool) {
	d = Decimal{big: d.big, small: d.small, scale: d.scale + shift}
	digits := d.Normal().scale
	if digits > 9 {
		return m, false
	}
	nanos := d.Round(9)
	nanos.scale = 0
	n, fits := nanos.Int64()
	if !fits {
		return momentFar(d, offset)
	}
	sec, rest := n/1e9, n%1e9
	if rest < 0 {
		sec, rest = sec-1, rest+1e9
	}
	return momentAt(sec, rest, digits, shift, offset)
}

// momentFar takes instants outside the years 1678 to 2261, which nanoseconds
// of 64 bits cannot hold.
func momentFar(d Decimal, offset int) (m moment, ok bool) {
	if !d.IsInteger() {
		return m, false
	}
	sec, ok := d.Int64()
	if !ok || sec > 253402300799 || sec < -62135596800 {
		return m, false
	}
	return momentAt(sec, 0, 0, 0, offset)
}

func momentAt(sec, nanos int64, digits, shift, offset int) (m moment, ok bool) {
	t := time.Unix(sec+int64(offset), 0).UTC()
	m.set(t)
	m.offset, m.utc = offset, offset == 0
	m.nanos = int(nanos)
	// Milliseconds are written whole or not at all.
	if m.fraction = digits; digits > 0 {
		m.fraction = max(digits, shift)
	}
	return m, true
}
