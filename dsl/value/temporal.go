package value

import (
	"strconv"
	"strings"
	"sync"
	"time"
	// Zones must mean the same on every machine, also where none are installed.
	_ "time/tzdata"
)

// pattern is one alternative of parse, or the format.
type pattern struct {
	text     string
	special  bool
	elements []element
}

// temporal converts dates, datetimes and times of day.
type temporal struct {
	base   Base
	parse  []pattern // none: ISO 8601
	format *pattern  // nil: ISO 8601
	text   string    // the parse option, for messages
	zone   *time.Location
	target *time.Location // of the result, nil: as read
}

func newTemporal(base Base, opt Options) (*temporal, error) {
	t := &temporal{base: base, text: opt.Parse}
	if opt.Parse != "" {
		if problems := CheckPattern(opt.Parse, Type{Base: base}, true); len(problems) > 0 {
			return nil, patternError("parse", opt.Parse, problems)
		}
		for _, p := range Alternatives(opt.Parse) {
			t.parse = append(t.parse, newPattern(p))
		}
	}
	if opt.Format != "" {
		if problems := CheckPattern(opt.Format, Type{Base: base}, false); len(problems) > 0 {
			return nil, patternError("format", opt.Format, problems)
		}
		f := newPattern(opt.Format)
		t.format = &f
	}
	if opt.Zone == "" {
		return t, t.checkZoneless()
	}
	if base == Time {
		return nil, &Error{Code: CodeDefinition, Message: "zone has no meaning for a time of day", Hint: "use `type: datetime`"}
	}
	from, to := strings.TrimSpace(opt.Zone), ""
	if strings.Contains(opt.Zone, "->") {
		var ok bool
		if from, to, ok = SplitArrow(opt.Zone); !ok {
			return nil, &Error{Code: CodeZone, Message: "zone " + quote(opt.Zone) + " does not say from where to where", Hint: "write `Europe/Berlin -> UTC`"}
		}
	}
	var err error
	if t.zone, err = LoadZone(from); err != nil {
		return nil, err
	}
	if to != "" {
		t.target, err = LoadZone(to)
	} else if base == Date || t.format != nil && !t.format.special && !hasOffset(t.format.elements) {
		// The result carries no offset: zone says whose local time it is.
		t.target = t.zone
	}
	return t, err
}

// checkZoneless refuses, before any value comes, what could never work without
// a zone.
func (t *temporal) checkZoneless() error {
	if t.base == Time {
		return nil
	}
	const hint = "add `zone: Europe/Berlin`, or whichever is meant"
	for _, p := range t.parse {
		moment := p.special || hasOffset(p.elements)
		switch {
		case t.base == DateTime && !moment:
			return &Error{Code: CodeZone, Message: "parse " + quote(p.text) + " reads no offset and no zone is given", Hint: hint}
		case t.base == Date && moment:
			return &Error{Code: CodeZone, Message: "parse " + quote(p.text) + " reads a moment: which day it is depends on the zone", Hint: hint}
		}
	}
	if t.base == DateTime && t.format != nil && !t.format.special && !hasOffset(t.format.elements) {
		return &Error{Code: CodeZone, Message: "format " + quote(t.format.text) + " writes no offset and no zone is given",
			Hint: "add the `zone` whose local time is meant, or XXX to the format"}
	}
	return nil
}

func newPattern(text string) pattern {
	p := pattern{text: text, special: isSpecial(text)}
	if !p.special {
		p.elements, _ = scanPattern(text)
	}
	return p
}

var zones sync.Map // name -> *time.Location

// LoadZone returns the zone of an IANA name such as Europe/Berlin, or UTC.
// Names of the machine ("Local") and abbreviations are refused.
func LoadZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	unknown := &Error{Code: CodeZone, Message: "unknown zone " + quote(name), Hint: "use an IANA name such as Europe/Berlin, America/Chicago or UTC"}
	if m := arrowWord.FindStringSubmatch(name); m != nil {
		_, from := LoadZone(m[1])
		if _, to := LoadZone(m[2]); from == nil && to == nil {
			unknown.Hint = "write `" + m[1] + " -> " + m[2] + "`"
			return nil, unknown
		}
	}
	if near := NearZone(name); near != "" {
		unknown.Hint = "did you mean `" + near + "`?"
	} else if IsOffset(name) {
		unknown.Hint = "an offset knows no summer time: write the zone of a city, such as Europe/Berlin, or UTC"
	}
	// Three-letter names exist in the data base but hide summer time, and the
	// machine's own zone would make results depend on where they are computed.
	if !strings.Contains(name, "/") || strings.Contains(name, "..") || strings.HasPrefix(name, "/") {
		return nil, unknown
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknown
	}
	zones.Store(name, loc)
	return loc, nil
}

func (t *temporal) convert(v any) (any, error) {
	m, err := t.moment(v)
	if err != nil {
		return nil, err
	}
	return t.write(&m)
}

// moment reads a value and puts it where the result is wanted.
func (t *temporal) moment(v any) (moment, error) {
	s, ok := v.(string)
	if !ok {
		// Dates are often sent as numbers: 20260516, or seconds since 1970.
		if Kind(v) != "number" || t.parse == nil {
			return moment{}, typeError(t.want(), v, t.guess(v))
		}
		s, _ = Text(v)
	}
	m, err := t.read(strings.TrimSpace(s))
	if err != nil {
		return m, err
	}
	if why := m.settle(); why != "" {
		return m, &Error{Code: CodeParse, Message: quote(s) + ": " + why}
	}
	return m, t.place(&m, s)
}

func (t *temporal) want() string {
	if t.text != "" {
		return "a " + t.base.String() + " as " + t.text
	}
	return "a " + t.base.String() + " as " + map[Base]string{Date: "2026-05-16", DateTime: "2026-05-16T14:30:00+02:00", Time: "14:30"}[t.base]
}

func (t *temporal) read(s string) (moment, error) {
	if s == "" {
		return moment{}, emptyText(t.want())
	}
	if t.parse == nil {
		if m, ok := parseISO(s, t.base); ok {
			return m, nil
		}
		return moment{}, &Error{Code: CodeParse, Message: "expected " + t.want() + ", found " + quote(s), Hint: t.guess(s)}
	}
	for i := range t.parse {
		p := &t.parse[i]
		var m moment
		var ok bool
		if p.special {
			m, ok = parseSpecial(s, p.text)
		} else {
			m, ok = parseElements(s, p.elements)
		}
		if ok {
			return m, nil
		}
	}
	return moment{}, &Error{Code: CodeParse, Message: "expected " + t.want() + ", found " + quote(s), Hint: t.parseHint(s)}
}

// parseHint recognises why a text does not follow the pattern.
func (t *temporal) parseHint(s string) string {
	if strings.Trim(s, "0-./: T") == "" {
		return "an empty date: `select(test(\"[1-9]\"))` in jq makes it missing"
	}
	if strings.HasSuffix(s, "Z") && strings.HasSuffix(t.text, "Z") {
		return "`Z` reads +0200; for the letter Z write `X`"
	}
	if _, iso := parseISO(s, t.base); iso {
		return "this is ISO 8601, which is read without `parse`"
	}
	return ""
}

// place gives the moment the offset it needs and moves it to where the result
// is wanted.
func (t *temporal) place(m *moment, s string) error {
	if t.base == Time {
		return nil
	}
	zone := t.zone
	if m.zone != nil {
		zone = m.zone
	}
	if t.base == Date && !m.hasOffset && m.zone == nil && (t.target == nil || t.target == t.zone) {
		return nil // a calendar day as written
	}
	if !m.hasOffset {
		if zone == nil {
			return &Error{Code: CodeZone, Message: quote(s) + " says no zone", Hint: "add `zone: Europe/Berlin`, or whichever it is meant in"}
		}
		if !m.hasTime {
			return &Error{Code: CodeZone, Message: quote(s) + " has no time of day, so its day cannot be moved to another zone", Hint: "write one zone"}
		}
		if why := m.locate(zone); why != "" {
			return &Error{Code: CodeZone, Message: quote(s) + ": " + why}
		}
	}
	switch {
	case t.target != nil:
		m.move(t.target)
		if m.offset%60 != 0 || m.year < 1 || m.year > 9999 {
			return &Error{Code: CodeZone, Message: quote(s) + " cannot be expressed in " + t.target.String()}
		}
	case t.base == Date:
		return &Error{Code: CodeZone, Message: quote(s) + " is a moment: which day it is depends on the zone", Hint: "add `zone: UTC`, or the zone whose day is meant"}
	case t.format != nil && !t.format.special && !hasOffset(t.format.elements):
		return &Error{Code: CodeZone, Message: "format " + quote(t.format.text) + " writes no offset and no zone is given", Hint: "add the `zone` whose local time is meant, or XXX to the format"}
	}
	return nil
}

func (t *temporal) write(m *moment) (any, error) {
	var buf [40]byte
	switch {
	case t.format != nil:
		return t.format.write(m)
	case t.base == Date:
		return string(m.appendDate(buf[:0])), nil
	case t.base == Time:
		return string(m.appendTime(buf[:0])), nil
	}
	return string(m.appendRFC3339(buf[:0])), nil
}

func (p *pattern) write(m *moment) (any, error) {
	if p.special {
		return p.writeSpecial(m)
	}
	var b []byte
	for _, e := range p.elements {
		b = e.write(b, m)
	}
	return string(b), nil
}

func (p *pattern) writeSpecial(m *moment) (any, error) {
	sec := m.instant()
	switch {
	case p.text == patternEpoch && m.nanos == 0:
		return DecimalFromInt(sec).Number(), nil
	case p.text == patternEpoch:
		return DecimalFromInt(sec).Add(Decimal{small: int64(m.nanos), scale: 9}).Normal().Number(), nil
	}
	millis := sec*1000 + int64(m.nanos/1e6)
	if p.text == patternOData {
		return "/Date(" + strconv.FormatInt(millis, 10) + ")/", nil
	}
	return DecimalFromInt(millis).Number(), nil
}

// write appends one element.
func (e element) write(b []byte, m *moment) []byte {
	switch e.letter {
	case 0:
		return append(b, e.text...)
	case 'y', 'u':
		if e.count == 2 {
			return appendPadded(b, m.year%100, 2)
		}
		return appendPadded(b, m.year, 4)
	case 'M':
		switch e.count {
		case 3:
			return append(b, monthNames[m.month-1][:3]...)
		case 4:
			return append(b, monthNames[m.month-1]...)
		}
		return appendPadded(b, m.month, e.count)
	case 'd':
		return appendPadded(b, m.day, e.count)
	case 'D':
		return appendPadded(b, m.civil().YearDay(), e.count)
	case 'H':
		return appendPadded(b, m.hour, e.count)
	case 'h':
		return appendPadded(b, (m.hour+11)%12+1, e.count)
	case 'm':
		return appendPadded(b, m.min, e.count)
	case 's':
		return appendPadded(b, m.sec, e.count)
	case 'S':
		return m.appendFraction(b, e.count)
	case 'a':
		if m.hour < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	case 'E':
		name := weekdayNames[m.civil().Weekday()]
		if e.count < 4 {
			name = name[:3]
		}
		return append(b, name...)
	case 'X', 'x', 'Z':
		style := offsetStyle(e)
		return m.appendOffset(b, style >= 3, style != 1, e.letter == 'X' || e.count == 5)
	}
	return b
}
