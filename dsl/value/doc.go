// Package value holds the types of the language and the exact conversion of
// JSON values into them.
//
// A value is what a JSON document may hold: nil, bool, string, json.Number,
// int, float64, *big.Int, []any or map[string]any. Conversions are strict:
// they never guess, never round silently, never cut a text and never touch the
// value they were given. Numbers are worked on in decimal, never in binary
// floating point; rounding, where it is asked for, is half away from zero.
//
// Dates and times follow patterns in the style of the Unicode CLDR (yyyyMMdd,
// dd.MM.yyyy HH:mm), several of which may be separated by " | ", or stand
// alone as epoch, epoch_ms or odata; without a pattern ISO 8601 is read.
//
//   - Nothing rolls over: 30 February and 24:00 are refused.
//   - A datetime without an offset needs a zone. A local time that does not
//     exist because clocks are put forward is refused; of one that occurs twice
//     the first is taken.
//   - A datetime keeps its own offset and its digits of a second, unless
//     the zone is written "A -> B" or the result has no place for an offset.
//   - Two-digit years from 69 on are of the 20th century, others of the 21st.
//   - Names of months and weekdays are English; case does not matter.
//
// Numbers are written as JSON writes them, or as a pattern shows the number
// 1234.56: "1.234,56", "1 234,56", "1234.56-". Groups are of three digits, all of
// them marked or none; a mark anywhere else is refused, so that no amount is read
// as a thousand times another.
//
// Everything here is pure and safe for concurrent use. Errors are of type
// *Error and are worded for the people who write definitions.
package value
