package value

// Code names the kind of a conversion failure, for tests and for dead letters.
type Code string

// The kinds of failure. Codes never change their meaning.
const (
	CodeType       Code = "type"       // the value is of another kind
	CodeParse      Code = "parse"      // the text does not follow the pattern
	CodeZone       Code = "zone"       // no zone known, or a local time that does not exist
	CodeUnit       Code = "unit"       // unknown unit, or units of different kinds
	CodeRange      Code = "range"      // a number too large, or a division by zero
	CodeTooLong    Code = "too_long"   // longer than max_length
	CodeOption     Code = "option"     // not one of the allowed options
	CodeDefinition Code = "definition" // the type, pattern or zone itself is wrong
)

// Error is a failed conversion. Message is one sentence without a period that
// names what was found and what was expected; Hint, where there is one, says
// what to type.
type Error struct {
	Code    Code
	Message string
	Hint    string
}

// Error returns the message, followed by the hint where there is one.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}
