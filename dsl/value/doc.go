// Package value holds the types of the language and the exact conversion of
// JSON values into them.
//
// A value is what a JSON document may hold: nil, bool, string, json.Number,
// int, float64, *big.Int, []any or map[string]any. Conversions are strict:
// they never guess, never round silently and never touch the value they were
// given. Numbers are worked on in decimal, never in binary floating point.
//
// Everything here is pure and safe for concurrent use. Errors are of type
// *Error and are worded for the people who write definitions.
package value
