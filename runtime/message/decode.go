package message

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// Limits bound what Decode accepts. A zero field stands for its default.
type Limits struct {
	Size   int // bytes; default: no limit, since intake has one of its own
	Depth  int // nested arrays and objects; default DefaultDepth
	Number int // characters of one number; default DefaultNumber
}

// Defaults of Limits.
const (
	DefaultDepth  = 200
	DefaultNumber = 1000
)

// Unlimited is for bytes that crossdock wrote itself.
var Unlimited = Limits{Depth: 10_000, Number: 1 << 30}

// Decode reads one JSON document (RFC 8259) into nil, bool, string,
// json.Number, []any and map[string]any. Numbers keep their literal.
//
// It is stricter than encoding/json: bytes that are not UTF-8, escaped halves
// of a surrogate pair, and a key that occurs twice in one object are errors
// and never repaired silently. An escaped U+0000 is text like any other.
//
// Every error is an *Error. The result shares memory among its strings (one
// copy of raw), but none with raw. Decode is safe for concurrent use.
func Decode(raw []byte, lim Limits) (any, error) {
	if lim.Size > 0 && len(raw) > lim.Size {
		return nil, &Error{Fault: FaultSize, Offset: lim.Size,
			Message: fmt.Sprintf("the payload has %d bytes, allowed are %d", len(raw), lim.Size)}
	}
	if !utf8.Valid(raw) {
		return nil, badEncoding(raw)
	}
	d := decoders.Get().(*decoder)
	v, err := d.document(raw, lim)
	d.release()
	if err != nil {
		return nil, err
	}
	return v, nil
}

func badEncoding(raw []byte) error {
	i := 0
	for {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n <= 1 {
			return newError(raw, FaultEncoding, i, fmt.Sprintf("byte 0x%02X is not UTF-8", raw[i]))
		}
		i += n
	}
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// A decoder reads one document. Positions are passed as arguments and returned;
// a negative one says that err is set.
type decoder struct {
	raw     []byte
	text    string // the same bytes, from which strings are cut
	err     *Error
	depth   int // levels still allowed
	lim     Limits
	box     boxer
	members []member // of all open objects
	items   []any    // of all open arrays
	scratch []byte   // of the string with escapes being read
}

type member struct {
	key   string
	value any
	at    int // offset of the key
}

// maxKept bounds what a released decoder keeps for the next document.
const maxKept = 1 << 12

func (d *decoder) release() {
	// What is left on the stacks after an error would keep a message alive.
	clear(d.members[:cap(d.members)][:len(d.members)])
	clear(d.items)
	d.members, d.items = d.members[:0], d.items[:0]
	if cap(d.members) > maxKept {
		d.members = nil
	}
	if cap(d.items) > maxKept {
		d.items = nil
	}
	if cap(d.scratch) > maxKept {
		d.scratch = nil
	}
	d.raw, d.text, d.err, d.box = nil, "", nil, boxer{}
	decoders.Put(d)
}

func (d *decoder) document(raw []byte, lim Limits) (any, error) {
	if lim.Depth <= 0 {
		lim.Depth = DefaultDepth
	}
	if lim.Number <= 0 {
		lim.Number = DefaultNumber
	}
	d.raw, d.text, d.lim, d.depth = raw, string(raw), lim, lim.Depth
	d.box.next = min(max(len(raw)/20, minBlock), maxBlock)
	i := d.space(0)
	if i == len(raw) {
		return nil, newError(raw, FaultSyntax, i, "the payload is empty, expected JSON")
	}
	v, i := d.value(i)
	if i >= 0 {
		if i = d.space(i); i == len(raw) {
			return v, nil
		}
		d.fail(FaultSyntax, i, "expected nothing behind the JSON value, found "+found(raw, i))
	}
	return nil, d.err
}

func (d *decoder) fail(f Fault, at int, message string) int {
	d.err = newError(d.raw, f, at, message)
	return -1
}

func (d *decoder) expected(what string, at int) int {
	return d.fail(FaultSyntax, at, "expected "+what+", found "+found(d.raw, at))
}

// space returns the first position from i on that is not white space.
func (d *decoder) space(i int) int {
	for i < len(d.raw) {
		if c := d.raw[i]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			break
		}
		i++
	}
	return i
}

func (d *decoder) value(i int) (any, int) {
	if i >= len(d.raw) {
		return nil, d.expected("a value", i)
	}
	switch c := d.raw[i]; c {
	case '"':
		s, i := d.str(i)
		if i < 0 {
			return nil, i
		}
		return d.box.text(s), i
	case '{':
		return d.object(i)
	case '[':
		return d.array(i)
	case 't':
		return true, d.word(i, "true")
	case 'f':
		return false, d.word(i, "false")
	case 'n':
		return nil, d.word(i, "null")
	default:
		if c == '-' || c-'0' < 10 {
			return d.number(i)
		}
		return nil, d.notValue(i)
	}
}

// notValue words the mistakes that people make most.
func (d *decoder) notValue(i int) int {
	switch d.raw[i] {
	case '\'':
		return d.fail(FaultSyntax, i, "text stands in double quotes in JSON, found a single quote")
	case '<':
		return d.fail(FaultSyntax, i, "expected JSON, found `<`: this looks like XML or HTML")
	case 0xEF:
		if i == 0 && len(d.raw) > 2 && d.raw[1] == 0xBB && d.raw[2] == 0xBF {
			return d.fail(FaultSyntax, i, "the payload starts with a byte order mark, which JSON does not allow")
		}
	case '}', ']':
		return d.expected("a value (a comma before the end is not allowed)", i)
	}
	return d.expected("a value", i)
}

func (d *decoder) word(i int, w string) int {
	if len(d.text)-i >= len(w) && d.text[i:i+len(w)] == w {
		return i + len(w)
	}
	return d.expected("a value such as `"+w+"`", i)
}

func (d *decoder) tooDeep(i int) int {
	return d.fail(FaultDepth, i, fmt.Sprintf("more than %d levels of nested arrays and objects", d.lim.Depth))
}

func (d *decoder) array(i int) (any, int) {
	if d.depth--; d.depth < 0 {
		return nil, d.tooDeep(i)
	}
	base := len(d.items)
	i = d.space(i + 1)
	if i < len(d.raw) && d.raw[i] == ']' {
		d.depth++
		return []any{}, i + 1
	}
	for {
		v, next := d.value(i)
		if next < 0 {
			return nil, next
		}
		d.items = append(d.items, v)
		i = d.space(next)
		if i < len(d.raw) && d.raw[i] == ',' {
			i = d.space(i + 1)
			continue
		}
		if i < len(d.raw) && d.raw[i] == ']' {
			break
		}
		return nil, d.expected("`,` or `]`", i)
	}
	d.depth++
	out := make([]any, len(d.items)-base)
	copy(out, d.items[base:])
	clear(d.items[base:])
	d.items = d.items[:base]
	return out, i + 1
}

func (d *decoder) object(i int) (any, int) {
	if d.depth--; d.depth < 0 {
		return nil, d.tooDeep(i)
	}
	base := len(d.members)
	i = d.space(i + 1)
	if i < len(d.raw) && d.raw[i] == '}' {
		d.depth++
		return map[string]any{}, i + 1
	}
	for {
		if i = d.member(i); i < 0 {
			return nil, i
		}
		if i < len(d.raw) && d.raw[i] == ',' {
			i = d.space(i + 1)
			continue
		}
		if i < len(d.raw) && d.raw[i] == '}' {
			break
		}
		return nil, d.expected("`,` or `}`", i)
	}
	d.depth++
	members := d.members[base:]
	out := make(map[string]any, len(members))
	for j := range members {
		m := &members[j]
		if out[m.key] = m.value; len(out) != j+1 {
			return nil, d.duplicate(members, j)
		}
	}
	clear(members)
	d.members = d.members[:base]
	return out, i + 1
}

// member reads `"key": value` and returns the position of what follows.
func (d *decoder) member(i int) int {
	if i >= len(d.raw) || d.raw[i] != '"' {
		if i < len(d.raw) && d.raw[i] == '}' {
			return d.expected("a key (a comma before the end is not allowed)", i)
		}
		return d.expected("a key in double quotes", i)
	}
	key, at := d.str(i)
	if at < 0 {
		return at
	}
	if at = d.space(at); at >= len(d.raw) || d.raw[at] != ':' {
		return d.expected("`:`", at)
	}
	v, next := d.value(d.space(at + 1))
	if next < 0 {
		return next
	}
	d.members = append(d.members, member{key, v, i})
	return d.space(next)
}

func (d *decoder) duplicate(members []member, j int) int {
	m := members[j]
	for _, first := range members[:j] {
		if first.key == m.key {
			line, column := place(d.raw, first.at)
			return d.fail(FaultDuplicate, m.at,
				fmt.Sprintf("duplicate key %s (first at line %d, column %d)", shown(m.key), line, column))
		}
	}
	return d.fail(FaultDuplicate, m.at, "duplicate key "+shown(m.key))
}

// number reads a literal and keeps it as it stands.
func (d *decoder) number(start int) (any, int) {
	raw, i := d.raw, start
	if raw[i] == '-' {
		i++
	}
	switch {
	case i < len(raw) && raw[i] == '0':
		if i++; i < len(raw) && raw[i]-'0' < 10 {
			return nil, d.fail(FaultSyntax, start, "a number must not start with zeros; codes belong in quotes")
		}
	default:
		first := i
		if i = digits(raw, i); i == first {
			return nil, d.expected("a digit", i)
		}
	}
	if i < len(raw) && raw[i] == '.' {
		first := i + 1
		if i = digits(raw, first); i == first {
			return nil, d.expected("a digit behind the decimal point", i)
		}
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		if i++; i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		first := i
		if i = digits(raw, i); i == first {
			return nil, d.expected("a digit of the exponent", i)
		}
	}
	if i-start > d.lim.Number {
		return nil, d.fail(FaultSize, start, fmt.Sprintf("a number of %d characters, allowed are %d", i-start, d.lim.Number))
	}
	return d.box.number(d.text[start:i]), i
}

func digits(raw []byte, i int) int {
	for i < len(raw) && raw[i]-'0' < 10 {
		i++
	}
	return i
}
