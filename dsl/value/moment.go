package value

import (
	"time"
)

// moment is a date, a time of day or both, as read: nothing is normalised, so
// that what was never said is known.
type moment struct {
	year, month, day int
	hour, min, sec   int
	nanos            int
	fraction         int // digits of the fraction as written, 0 to 9
	offset           int // seconds east of UTC, where hasOffset
	hasDate, hasTime bool
	hasOffset        bool
	utc              bool // the offset was written "Z"
	weekday          int  // 1 Sunday to 7 Saturday, 0 where not written
	yearDay          int  // 1 to 366, 0 where not written
	half             int  // 1 am, 2 pm, 0 where not written
	zone             *time.Location
}

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return monthDays[month-1]
}

// settle completes what was read (am and pm, day of the year) and says what is
// impossible, or returns "".
func (m *moment) settle() string {
	switch {
	case m.half != 0 && (m.hour < 1 || m.hour > 12):
		return "the hour of a half day is 1 to 12"
	case m.half == 1 && m.hour == 12:
		m.hour = 0
	case m.half == 2 && m.hour != 12:
		m.hour += 12
	}
	if m.hasTime {
		switch {
		case m.hour == 24:
			return "24:00 is not used: it is 00:00 of the next day"
		case m.hour > 23:
			return "there is no such hour"
		case m.min > 59:
			return "there is no such minute"
		case m.sec == 60:
			return "leap seconds cannot be represented"
		case m.sec > 59:
			return "there is no such second"
		}
	}
	if !m.hasDate {
		return ""
	}
	if m.year < 1 || m.year > 9999 {
		return "there is no such year"
	}
	if m.yearDay > 0 && m.month == 0 {
		last := 365
		if leap(m.year) {
			last = 366
		}
		if m.yearDay > last {
			return "there is no such day of the year"
		}
		rest := m.yearDay
		for m.month = 1; rest > daysIn(m.year, m.month); m.month++ {
			rest -= daysIn(m.year, m.month)
		}
		m.day = rest
	}
	if m.month < 1 || m.month > 12 {
		return "there is no such month"
	}
	if m.day < 1 || m.day > daysIn(m.year, m.month) {
		return "there is no such day"
	}
	if m.weekday != 0 && int(m.civil().Weekday())+1 != m.weekday {
		return "the weekday does not fit the date"
	}
	return ""
}

// civil returns the local date and time as if it were UTC.
func (m *moment) civil() time.Time {
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.min, m.sec, m.nanos, time.UTC)
}

// locate gives a zone-less moment the offset of loc. A local time that a clock
// change skips does not exist and is refused; of one that happens twice the
// first is taken (the one with summer time, where that ends).
func (m *moment) locate(loc *time.Location) string {
	if loc == time.UTC {
		m.offset, m.hasOffset, m.utc = 0, true, true
		return ""
	}
	local := m.civil().Unix()
	const day = 24 * 60 * 60
	_, before := time.Unix(local-day, 0).In(loc).Zone()
	_, after := time.Unix(local+day, 0).In(loc).Zone()
	// A larger offset is an earlier instant, so it is tried first.
	for _, offset := range [2]int{max(before, after), min(before, after)} {
		if _, real := time.Unix(local-int64(offset), 0).In(loc).Zone(); real == offset {
			if offset%60 != 0 {
				return "before standard time was introduced in " + loc.String()
			}
			m.offset, m.hasOffset = offset, true
			return ""
		}
	}
	return "this local time does not exist in " + loc.String() + ": the clocks are put forward over it"
}

// move rewrites a moment with an offset as the local time of loc.
func (m *moment) move(loc *time.Location) {
	t := time.Unix(m.civil().Unix()-int64(m.offset), 0).In(loc)
	m.set(t)
	m.utc = loc == time.UTC
}

// set takes the local fields and the offset of t and keeps the fraction.
func (m *moment) set(t time.Time) {
	year, month, day := t.Date()
	m.year, m.month, m.day = year, int(month), day
	m.hour, m.min, m.sec = t.Clock()
	_, m.offset = t.Zone()
	m.hasDate, m.hasTime, m.hasOffset = true, true, true
}

// instant returns the seconds since 1970 of a moment with an offset.
func (m *moment) instant() int64 { return m.civil().Unix() - int64(m.offset) }

func appendPadded(b []byte, n, width int) []byte {
	var digits [10]byte
	i := len(digits)
	for n > 0 || i == len(digits) {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	for len(digits)-i < width {
		i--
		digits[i] = '0'
	}
	return append(b, digits[i:]...)
}

func (m *moment) appendDate(b []byte) []byte {
	b = append(appendPadded(b, m.year, 4), '-')
	b = append(appendPadded(b, m.month, 2), '-')
	return appendPadded(b, m.day, 2)
}

func (m *moment) appendTime(b []byte) []byte {
	b = append(appendPadded(b, m.hour, 2), ':')
	b = append(appendPadded(b, m.min, 2), ':')
	b = appendPadded(b, m.sec, 2)
	if m.fraction > 0 {
		b = m.appendFraction(append(b, '.'), m.fraction)
	}
	return b
}

// appendFraction writes the first n digits of the fraction.
func (m *moment) appendFraction(b []byte, n int) []byte {
	var digits [9]byte
	for i, rest := 8, m.nanos; i >= 0; i-- {
		digits[i] = byte('0' + rest%10)
		rest /= 10
	}
	return append(b, digits[:n]...)
}

func (m *moment) appendOffset(b []byte, colon, minutes, zulu bool) []byte {
	if zulu && m.offset == 0 {
		return append(b, 'Z')
	}
	offset, sign := m.offset/60, byte('+')
	if offset < 0 {
		offset, sign = -offset, '-'
	}
	b = appendPadded(append(b, sign), offset/60, 2)
	if !minutes && offset%60 == 0 {
		return b
	}
	if colon {
		b = append(b, ':')
	}
	return appendPadded(b, offset%60, 2)
}

func (m *moment) appendRFC3339(b []byte) []byte {
	b = append(m.appendDate(b), 'T')
	return m.appendOffset(m.appendTime(b), true, true, m.utc)
}
