package jq

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// failure is an error that a cell met in its data. Its text is made only when
// somebody reads it, because .a? and its like throw most of them away.
type failure struct {
	kind    failureKind
	name    string
	v, w, x any
	err     error
}

type failureKind uint8

const (
	notObject failureKind = iota
	notArray
	notIterable
	keyNotText
	indexNotNumber
	textIndexNotNumber
	notStartEnd
	badType0
	badType1
	badType2
	wrapped0
	wrapped1
	wrapped2
	badUnary
	badBinary
	zeroDivision
	zeroModulo
	repeatTooLarge
	badRow
	negativeDepth
)

// Error gives the words of the interpreter, so that a cell fails alike in both.
func (f *failure) Error() string {
	switch f.kind {
	case notObject:
		return "expected an object but got: " + typed(f.v)
	case notArray:
		return "expected an array but got: " + typed(f.v)
	case notIterable:
		return "cannot iterate over: " + typed(f.v)
	case keyNotText:
		return "expected a string for object key but got: " + typed(f.v)
	case indexNotNumber:
		return "expected a number for indexing an array but got: " + typed(f.v)
	case textIndexNotNumber:
		return "expected a number for indexing a string but got: " + typed(f.v)
	case notStartEnd:
		return `expected "start" and "end" for slicing but got: ` + typed(f.v)
	case badUnary:
		return "cannot " + f.name + ": " + typed(f.v)
	case badBinary:
		return "cannot " + f.name + ": " + typed(f.v) + " and " + typed(f.w)
	case zeroDivision:
		return "cannot divide " + typed(f.v) + " by: " + typed(f.w)
	case zeroModulo:
		return "cannot modulo " + typed(f.v) + " by: " + typed(f.w)
	case repeatTooLarge:
		return "repeat string result too large: " + gojq.Preview(f.v) + " * " + gojq.Preview(f.w)
	case badRow:
		return "@" + f.name + " cannot format an array including: " + typed(f.v)
	case negativeDepth:
		return "flatten depth should not be negative: " + gojq.Preview(f.v)
	}
	call := f.name
	switch f.kind {
	case badType1, wrapped1:
		call += "(" + gojq.Preview(f.w) + ")"
	case badType2, wrapped2:
		call += "(" + gojq.Preview(f.w) + "; " + gojq.Preview(f.x) + ")"
	}
	if f.kind == badType0 || f.kind == badType1 || f.kind == badType2 {
		return call + " cannot be applied to: " + typed(f.v)
	}
	return call + " cannot be applied to " + gojq.Preview(f.v) + ": " + f.err.Error()
}

func typed(v any) string {
	if v == nil {
		return "null"
	}
	return gojq.TypeOf(v) + " (" + gojq.Preview(v) + ")"
}

func fail0(name string, v any) error    { return &failure{kind: badType0, name: name, v: v} }
func fail1(name string, v, w any) error { return &failure{kind: badType1, name: name, v: v, w: w} }

func fail2(name string, v, w, x any) error {
	return &failure{kind: badType2, name: name, v: v, w: w, x: x}
}

// thrown is what error(v) throws.
type thrown struct{ value any }

func (e *thrown) Error() string {
	if s, ok := e.value.(string); ok {
		return "error: " + s
	}
	b, err := gojq.Marshal(e.value)
	if err != nil {
		return "error"
	}
	return "error: " + string(b)
}

// Value makes thrown an error with a value, as try sees it.
func (e *thrown) Value() any { return e.value }

// left is how break and first leave a stream; each label of each run of it is
// a value of its own.
type left struct{ label string }

func (e *left) Error() string { return "label not defined: " + e.label }

// broken is an error of a step that an argument asks for, such as limit(-1; f).
func broken(text string) error { return &thrown{text} }

var _ gojq.ValueError = (*thrown)(nil)

// caught gives the value that catch sees, or ok = false for what it must not.
func caught(err error) (v any, ok bool) {
	switch e := err.(type) {
	case *left, *LimitError, *SeveralError:
		return nil, false
	case *gojq.HaltError:
		return nil, false
	case gojq.ValueError:
		return e.Value(), true
	}
	return err.Error(), true
}

func itoa(n int) string { return strconv.Itoa(n) }
