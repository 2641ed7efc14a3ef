package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxColumns bounds the columns of a table.
const MaxColumns = 1000

// ReadCSV returns a CSV file as a table. Rows may be of different lengths. The
// delimiter is the one that stands most often in the first line, of comma,
// semicolon, tab and bar.
func ReadCSV(raw []byte) (Sheet, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	switch {
	case len(raw) > MaxBytes:
		return Sheet{}, fmt.Errorf("read the table: it has more than %d MiB", MaxBytes>>20)
	case !utf8.Valid(raw):
		return Sheet{}, errors.New("read the table: it is not UTF-8; save it as `CSV UTF-8`")
	}
	in := csv.NewReader(bytes.NewReader(raw))
	in.FieldsPerRecord, in.LazyQuotes, in.Comma = -1, true, delimiter(raw)
	var s Sheet
	for {
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return s, nil
		case err != nil:
			return Sheet{}, fmt.Errorf("read the table: %w", err)
		case len(s.Rows) >= MaxRows:
			return Sheet{}, fmt.Errorf("read the table: it has more than %d rows", MaxRows)
		case len(row) > MaxColumns:
			return Sheet{}, fmt.Errorf("read the table: row %d has more than %d columns", len(s.Rows)+1, MaxColumns)
		}
		// The reader leaves blank lines out; rows are named as people count them.
		line, _ := in.FieldPos(0)
		for len(s.Rows) < line-1 && len(s.Rows) < MaxRows {
			s.Rows = append(s.Rows, nil)
		}
		s.Rows = append(s.Rows, row)
	}
}

func delimiter(raw []byte) rune {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	best, most := ',', bytes.Count(first, []byte(","))
	for _, c := range ";\t|" {
		if n := bytes.Count(first, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}
