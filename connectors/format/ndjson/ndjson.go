// Package ndjson streams files with one JSON value per line. Lines are handed
// on as they are; blank ones are left out. A line that is no JSON is an error
// of that line alone, found by whoever decodes it.
package ndjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"crossdock/connectors/format"
)

// Options bound what is read.
type Options struct {
	MaxLine int // bytes of one line; 0 is 16 MiB
}

// Open returns a reader over r.
func Open(r io.Reader, o Options) format.Reader {
	if o.MaxLine <= 0 {
		o.MaxLine = 16 << 20
	}
	return &reader{in: bufio.NewReaderSize(r, 256<<10), max: o.MaxLine}
}

type reader struct {
	in   *bufio.Reader
	max  int
	line int
	slab []byte // lines are cut from it, so that not each is an allocation
}

var bom = []byte("\xEF\xBB\xBF")

// Next implements format.Reader.
func (r *reader) Next() (format.Record, error) {
	for {
		r.line++
		raw, tooLong, err := r.readLine()
		if err != nil && !(err == io.EOF && len(raw) > 0) {
			return format.Record{}, err
		}
		if tooLong {
			return format.Record{}, &format.Error{Line: r.line, Skip: true, Text: fmt.Sprintf("the line is longer than %d bytes", r.max)}
		}
		if r.line == 1 {
			raw = bytes.TrimPrefix(raw, bom)
		}
		raw = bytes.TrimSpace(raw)
		if len(raw) == 0 {
			continue
		}
		if !utf8.Valid(raw) {
			return format.Record{}, &format.Error{Line: r.line, Skip: true, Text: "the line is not UTF-8"}
		}
		return format.Record{Raw: raw, Line: r.line}, nil
	}
}

// readLine returns a line that stays valid. Of a line that is too long it
// keeps nothing.
func (r *reader) readLine() (line []byte, tooLong bool, err error) {
	part, err := r.in.ReadSlice('\n')
	if err == nil || err == io.EOF {
		return r.keep(part), len(part) > r.max+1, err
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	for {
		if len(line)+len(part) > r.max+1 {
			tooLong, line = true, line[:0]
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if tooLong && err == io.EOF {
				err = nil // the next call reports the end
			}
			return line, tooLong, err
		}
		part, err = r.in.ReadSlice('\n')
	}
}

// keep copies a line into the slab.
func (r *reader) keep(part []byte) []byte {
	if len(part) > cap(r.slab)-len(r.slab) {
		r.slab = make([]byte, 0, max(64<<10, len(part)))
	}
	start := len(r.slab)
	r.slab = append(r.slab, part...)
	return r.slab[start:len(r.slab):len(r.slab)]
}
