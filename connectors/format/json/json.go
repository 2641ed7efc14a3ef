// Package json reads files that are one JSON document.
package json

import (
	"bytes"
	"io"
	"unicode/utf8"

	"crossdock/connectors/format"
)

// Open returns a reader that gives the whole of r as one record. The size of r
// is bounded by the caller.
func Open(r io.Reader) format.Reader { return &reader{in: r} }

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
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")))
	switch {
	case len(raw) == 0:
		return format.Record{}, &format.Error{Text: "the file is empty"}
	case bytes.HasPrefix(raw, []byte("\xFF\xFE")), bytes.HasPrefix(raw, []byte("\xFE\xFF")):
		return format.Record{}, &format.Error{Text: "the file is UTF-16; save it as UTF-8"}
	case !utf8.Valid(raw):
		return format.Record{}, &format.Error{Text: "the file is not UTF-8"}
	}
	return format.Record{Raw: raw}, nil
}
