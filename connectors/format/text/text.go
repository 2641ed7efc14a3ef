// Package text reads files as one text, without looking into them.
package text

import (
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"crossdock/connectors/format"
)

// Open returns a reader that gives the whole of r as one record, whose Value
// is a string. encoding is utf-8 ("" too), latin1 or windows-1252. The size of
// r is bounded by the caller.
func Open(r io.Reader, encoding string) format.Reader {
	return &reader{in: Decode(r, encoding)}
}

// Decode turns a named encoding into UTF-8; text that is UTF-8 already passes
// as it is.
func Decode(r io.Reader, encoding string) io.Reader {
	switch encoding {
	case "latin1":
		return charmap.ISO8859_1.NewDecoder().Reader(r)
	case "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(r)
	}
	return r
}

type reader struct {
	in   io.Reader
	done bool
}

// Next implements format.Reader.
func (r *reader) Next() (format.Record, error) {
	if r.done {
		return format.Record{}, io.EOF
	}
	r.done = true
	raw, err := io.ReadAll(r.in)
	if err != nil {
		return format.Record{}, err
	}
	if !utf8.Valid(raw) {
		return format.Record{}, &format.Error{Text: "the file is not UTF-8; name its encoding, such as `encoding: latin1`"}
	}
	return format.Record{Raw: raw, Value: strings.TrimPrefix(string(raw), "\uFEFF")}, nil
}
