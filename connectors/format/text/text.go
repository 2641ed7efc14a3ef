// Package text reads files as one text, without looking into them.
package text

import (
	"fmt"
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

// pages are the encodings besides UTF-8.
var pages = map[string]*charmap.Charmap{"latin1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252}

// Decode turns a named encoding into UTF-8; text that is UTF-8 already passes
// as it is.
func Decode(r io.Reader, encoding string) io.Reader {
	if page := pages[encoding]; page != nil {
		return page.NewDecoder().Reader(r)
	}
	return r
}

// Encode writes a text in a named encoding, as Decode reads it. The error names a
// character that the encoding does not have.
func Encode(s, encoding string) ([]byte, error) {
	page := pages[encoding]
	if page == nil {
		return []byte(s), nil
	}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := page.EncodeRune(r)
		if !ok {
			return nil, fmt.Errorf("there is no `%c` in %s", r, encoding)
		}
		out = append(out, b)
	}
	return out, nil
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
