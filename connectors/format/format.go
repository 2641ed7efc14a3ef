// Package format is what the readers of file formats have in common: a stream
// of records, each with its place in the file.
package format

import "fmt"

// Reader streams the records of one file. It is used by one goroutine.
type Reader interface {
	// Next returns the next record, or io.EOF behind the last one. An *Error
	// with Skip set concerns one record only and reading may go on; after any
	// other error the reader is spent.
	Next() (Record, error)
}

// Record is one record of a file.
type Record struct {
	Raw   []byte // owned by the caller; JSON, but for the text format
	Value any    // the decoded value where the format has one, else nil
	Line  int    // 1-based line on which it starts; 0 where lines mean nothing
}

// Error says what is wrong with a file, and where.
type Error struct {
	Line int  // 1-based; 0 for the whole file
	Skip bool // only this record is concerned
	Text string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Text)
}

// AppendText appends s as a JSON text.
func AppendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendSlow(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendSlow(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}
