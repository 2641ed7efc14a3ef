// Package csv streams delimited text: one object per row, whose values are
// texts exactly as they stand in the file, so that codes keep their zeros.
//
// Fields may be quoted; a quoted field may hold delimiters, line breaks (kept
// as they are) and doubled quotes. A quote inside a field that does not start
// with one is part of it. Rows end with LF or CRLF. A row with more or fewer
// fields than there are columns is an error that names its line.
package csv

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"crossdock/connectors/format"
	"crossdock/connectors/format/text"
)

// Options describe the dialect.
type Options struct {
	Delimiter byte     // 0 is a comma
	NoHeader  bool     // the first line is a row already; Columns names the fields
	Columns   []string // names instead of the header's, where given
	Encoding  string   // utf-8 ("" too), latin1 or windows-1252
	Comment   byte     // lines that start with it are left out; 0 is none
	MaxRow    int      // bytes of one row; 0 is 16 MiB
}

// Delimiter reads a delimiter as people write it: one character, or tab.
func Delimiter(word string) (byte, error) {
	switch {
	case word == "":
		return ',', nil
	case word == "tab" || word == `\t`:
		return '\t', nil
	case len(word) == 1 && word[0] > 0x20 && word[0] < 0x7f && word != `"` || word == " ":
		return word[0], nil
	}
	return 0, fmt.Errorf("`%s` cannot be a delimiter; use one character such as , ; | or the word tab", word)
}

// Open returns a reader over r.
func Open(r io.Reader, o Options) format.Reader {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.MaxRow <= 0 {
		o.MaxRow = 16 << 20
	}
	return &reader{in: bufio.NewReaderSize(text.Decode(r, o.Encoding), 64<<10), o: o}
}

// maxColumns bounds the columns of a file: each row becomes an object with a
// key for each of them, which is many times larger than a row of commas.
const maxColumns = 10_000

type reader struct {
	in      *bufio.Reader
	o       Options
	columns []string
	keys    [][]byte // columns as `"name":`
	line    int      // of the row being read
	next    int      // of what comes behind it
	ready   bool
	failed  error

	row    []byte // the unquoted fields, one behind the other
	ends   []int
	quoted bool // the row has a quoted field, so that it is not blank
}

// Next implements format.Reader.
func (r *reader) Next() (format.Record, error) {
	if r.failed != nil {
		return format.Record{}, r.failed
	}
	rec, err := r.read()
	if e, ok := err.(*format.Error); err != nil && (!ok || !e.Skip) {
		r.failed = err
	}
	return rec, err
}

func (r *reader) read() (format.Record, error) {
	if !r.ready {
		if err := r.header(); err != nil {
			return format.Record{}, err
		}
		r.ready = true
	}
	if err := r.scan(); err != nil {
		return format.Record{}, err
	}
	if len(r.ends) > maxColumns {
		return format.Record{}, &format.Error{Line: r.line, Skip: true,
			Text: fmt.Sprintf("the row has more than %d fields, but there are %d columns", maxColumns, len(r.columns))}
	}
	if len(r.ends) != len(r.columns) {
		return format.Record{}, &format.Error{Line: r.line, Skip: true,
			Text: fmt.Sprintf("the row has %d fields, but there are %d columns", len(r.ends), len(r.columns)) + r.otherDelimiter()}
	}
	value := make(map[string]any, len(r.columns))
	raw := make([]byte, 0, len(r.row)+len(r.columns)*4+r.keyBytes())
	fields := string(r.row)
	start := 0
	for i, end := range r.ends {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		raw = append(append(raw, sep), r.keys[i]...)
		raw = format.AppendText(raw, fields[start:end])
		value[r.columns[i]] = fields[start:end]
		start = end
	}
	return format.Record{Raw: append(raw, '}'), Value: value, Line: r.line}, nil
}

// otherDelimiter says what to write where the only column looks like several: the
// names in it are apart by something else.
func (r *reader) otherDelimiter() string {
	if len(r.columns) != 1 {
		return ""
	}
	for _, d := range []struct{ sign, word string }{{";", ";"}, {"\t", "tab"}, {"|", "|"}, {",", ","}} {
		if strings.Contains(r.columns[0], d.sign) {
			return fmt.Sprintf("; their names are apart by `%s`: write `csv: {delimiter: \"%s\"}`", d.word, d.word)
		}
	}
	return ""
}

func (r *reader) keyBytes() int {
	n := 0
	for _, k := range r.keys {
		n += len(k)
	}
	return n
}

// header settles the names of the columns.
func (r *reader) header() error {
	r.next = 1
	if mark, err := r.in.Peek(3); err == nil && string(mark) == "\xEF\xBB\xBF" {
		if _, err := r.in.Discard(3); err != nil {
			return err
		}
	}
	if mark, err := r.in.Peek(6); err == nil && string(mark) == "\u00EF\u00BB\u00BF" && r.o.Encoding != "" && r.o.Encoding != "utf-8" {
		return &format.Error{Text: "the file begins with the mark of UTF-8, but `encoding` says " + r.o.Encoding + "; one of the two is wrong"}
	}
	if mark, err := r.in.Peek(2); err == nil && (string(mark) == "\xFF\xFE" || string(mark) == "\xFE\xFF") {
		return &format.Error{Text: "the file is UTF-16; save it as UTF-8"}
	}
	r.columns = r.o.Columns
	if !r.o.NoHeader {
		switch err := r.scan(); {
		case err == io.EOF:
			return &format.Error{Text: "the file is empty; it lacks the line with the names of the columns"}
		case err != nil:
			return err
		}
		if len(r.ends) > maxColumns {
			return &format.Error{Line: r.line, Text: fmt.Sprintf("the file has more than %d columns", maxColumns)}
		}
		names := make([]string, len(r.ends))
		start := 0
		for i, end := range r.ends {
			names[i] = strings.TrimSpace(string(r.row[start:end]))
			start = end
		}
		if len(r.columns) == 0 {
			r.columns = names
		} else if len(r.columns) != len(names) {
			return &format.Error{Line: r.line, Text: fmt.Sprintf("the file has %d columns, but %d are named", len(names), len(r.columns))}
		}
	}
	if len(r.columns) == 0 {
		return &format.Error{Text: "a file without header needs the names of its `columns`"}
	}
	seen := map[string]int{}
	for i, name := range r.columns {
		if name == "" {
			return &format.Error{Line: r.line, Text: fmt.Sprintf("column %d has no name", i+1)}
		}
		if first, twice := seen[name]; twice {
			return &format.Error{Line: r.line, Text: fmt.Sprintf("columns %d and %d are both named `%s`", first+1, i+1, name)}
		}
		seen[name] = i
		r.keys = append(r.keys, append(format.AppendText(nil, name), ':'))
	}
	return nil
}

// scan reads the next row that is neither blank nor a comment into row and
// ends.
func (r *reader) scan() error {
	for {
		r.line = r.next
		if err := r.scanRow(); err != nil {
			return err
		}
		if blank := len(r.ends) == 1 && r.ends[0] == 0 && !r.quoted; !blank && !r.comment() {
			if !utf8.Valid(r.row) {
				return &format.Error{Line: r.line, Skip: true, Text: "the row is not UTF-8; name the encoding of the file, such as `encoding: latin1`"}
			}
			return nil
		}
	}
}

func (r *reader) comment() bool {
	return r.o.Comment != 0 && !r.quoted && len(r.row) > 0 && r.row[0] == r.o.Comment
}

// scanRow reads up to the end of one row.
func (r *reader) scanRow() error {
	r.row, r.ends, r.quoted = r.row[:0], r.ends[:0], false
	line, err := r.readLine()
	if err != nil {
		return err
	}
	if r.o.Comment != 0 && len(line) > 0 && line[0] == r.o.Comment {
		r.row, r.ends = append(r.row, line[0]), append(r.ends, 1)
		return nil
	}
	for {
		if len(line) > 0 && line[0] == '"' {
			if line, err = r.quotedField(line[1:]); err != nil {
				return err
			}
		} else {
			end := bytes.IndexByte(line, r.o.Delimiter)
			field := line
			if end >= 0 {
				field = line[:end]
			} else {
				field = trimEnd(line)
			}
			if start := bytes.TrimLeft(field, " \t"); len(start) > 0 && start[0] == '"' {
				return r.broken("there is a space before a quote; remove it, or quote the whole field and double the quote")
			}
			r.row = append(r.row, field...)
			line = line[len(field):]
		}
		if len(r.ends) <= maxColumns { // one more tells that there are too many
			r.ends = append(r.ends, len(r.row))
		}
		if len(line) == 0 || line[0] != r.o.Delimiter {
			return nil // the line break
		}
		line = line[1:]
	}
}

// quotedField reads a field behind its opening quote and returns what follows
// the closing one.
func (r *reader) quotedField(line []byte) ([]byte, error) {
	r.quoted = true
	opened := r.next - 1
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 { // the field goes on in the next line
			r.row = append(r.row, line...)
			if len(r.row) > r.o.MaxRow {
				return nil, &format.Error{Line: opened, Text: fmt.Sprintf("the quote is not closed within %d bytes", r.o.MaxRow)}
			}
			next, err := r.readLine()
			if err == io.EOF {
				return nil, &format.Error{Line: opened, Text: "the quote that opens here is never closed"}
			}
			if err != nil {
				return nil, err
			}
			line = next
			continue
		}
		r.row = append(r.row, line[:i]...)
		line = line[i+1:]
		switch {
		case len(line) > 0 && line[0] == '"':
			r.row = append(r.row, '"')
			line = line[1:]
		case len(line) == 0, line[0] == r.o.Delimiter, len(trimEnd(line)) == 0:
			if len(line) > 0 && line[0] != r.o.Delimiter {
				line = nil
			}
			return line, nil
		default:
			return nil, r.broken("text behind a closing quote; double the quotes that belong to the field")
		}
	}
}

// broken reports a row that cannot be read. Where the row ends is not sure
// either, so reading stops.
func (r *reader) broken(what string) error {
	return &format.Error{Line: r.next - 1, Text: what}
}

// readLine returns the next line with its line break. It is valid until the
// next call.
func (r *reader) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		long := append([]byte(nil), line...)
		for err == bufio.ErrBufferFull {
			if len(long) > r.o.MaxRow {
				return nil, &format.Error{Line: r.next, Text: fmt.Sprintf("the line is longer than %d bytes", r.o.MaxRow)}
			}
			line, err = r.in.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	r.next++
	return line, err
}

// trimEnd removes the line break.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
