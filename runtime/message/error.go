package message

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Fault classes what is wrong with the bytes of a message.
type Fault string

// The faults that Decode tells apart.
const (
	FaultSyntax    Fault = "syntax"    // not JSON
	FaultEncoding  Fault = "encoding"  // not UTF-8, or half a surrogate pair
	FaultDuplicate Fault = "duplicate" // one key twice in an object
	FaultDepth     Fault = "depth"     // nested deeper than allowed
	FaultSize      Fault = "size"      // more bytes, or a longer number, than allowed
)

// Error says what is wrong with the bytes of a message and where. Line and
// Column count from 1, Column in characters; Offset counts bytes from 0.
type Error struct {
	Fault   Fault
	Offset  int
	Line    int
	Column  int
	Message string // without the place
}

// Error returns the message with its place.
func (e *Error) Error() string {
	if e.Fault == FaultSize && e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s at line %d, column %d", e.Message, e.Line, e.Column)
}

// newError places a message at a byte offset of raw.
func newError(raw []byte, f Fault, offset int, message string) *Error {
	line, column := place(raw, offset)
	return &Error{Fault: f, Offset: offset, Line: line, Column: column, Message: message}
}

func place(raw []byte, offset int) (line, column int) {
	before := raw[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// shown quotes text of a message for people, cut to a bearable length.
func shown(s string) string {
	const most = 60
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return fmt.Sprintf("`%s`", s)
}

// found describes the byte where something else was expected.
func found(raw []byte, i int) string {
	if i >= len(raw) {
		return "the end of the payload"
	}
	if c := raw[i]; c < ' ' || c == 0x7f {
		return fmt.Sprintf("the control character U+%04X", c)
	}
	r, _ := utf8.DecodeRune(raw[i:])
	return "`" + string(r) + "`"
}
