// Package sheet reads and writes tables that people keep in a spreadsheet: XLSX
// workbooks and CSV. All cells are text, as a person sees them; dates and numbers
// that are shown in a form of the country or in part have one that everybody
// reads alike. It is the only package that knows the XLSX library.
package sheet

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Sheet is one table of a workbook; its first row is the header.
type Sheet struct {
	Name   string
	Rows   [][]string
	Hidden bool           // people do not see the sheet
	Unseen []int          // rows that people do not see, counted from 0
	Facts  map[Place]Fact // cells of which there is more to say than their text
}

// Bounds on workbooks that strangers made. MaxCell is what a spreadsheet itself
// allows in one cell, in characters.
const (
	MaxBytes = 64 << 20 // of a workbook, unpacked
	MaxRows  = 200_000  // of all its sheets together
	MaxCell  = 32_767
	maxName  = 31 // characters in the name of a sheet
)

// Read returns the sheets of an XLSX workbook in their order. Cells are as they
// are shown: a code with the format 00000 keeps its zeros. Dates and times are in
// the form of ISO 8601, numbers have all their digits and none of the commas
// between thousands; Facts tells which cells are shown otherwise, and which lost
// their value before the file was written. Cells that are merged with one above
// have its text. Rows may be of different lengths, as trailing empty cells are
// left out.
func Read(r io.Reader) ([]Sheet, error) {
	f, err := excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: MaxBytes, UnzipXMLSizeLimit: MaxBytes})
	if err != nil {
		return nil, fmt.Errorf("read the workbook: %w", err)
	}
	defer f.Close()
	var out []Sheet
	left := MaxRows
	for _, name := range f.GetSheetList() {
		s, err := readSheet(f, name, &left)
		// A chart may have a sheet of its own, which the library only tells so.
		if err != nil && strings.HasSuffix(err.Error(), "is not a worksheet") {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sheet %s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// readSheet reads one sheet of at most so many rows as are left.
func readSheet(f *excelize.File, name string, left *int) (Sheet, error) {
	s := Sheet{Name: name}
	visible, err := f.GetSheetVisible(name)
	if err != nil {
		return s, err
	}
	s.Hidden = !visible
	// What is held and what is shown are read side by side, and before anything
	// else: the library writes a sheet anew to read it once more.
	held, err := f.Rows(name)
	if err != nil {
		return s, err
	}
	defer held.Close()
	shown, err := f.Rows(name)
	if err != nil {
		return s, err
	}
	defer shown.Close()
	values, err := valuesOf(f, name)
	if err != nil {
		return s, err
	}
	for held.Next() && shown.Next() {
		if *left--; *left < 0 {
			return s, fmt.Errorf("the workbook has more than %d rows", MaxRows)
		}
		raw, err := held.Columns(excelize.Options{RawCellValue: true, UnzipSizeLimit: MaxBytes, UnzipXMLSizeLimit: MaxBytes})
		if err != nil {
			return s, fmt.Errorf("row %d: %w", len(s.Rows)+1, err)
		}
		cells, err := shown.Columns()
		if err != nil {
			return s, fmt.Errorf("row %d: %w", len(s.Rows)+1, err)
		}
		if max(len(raw), len(cells)) > MaxColumns {
			return s, fmt.Errorf("row %d has more than %d columns", len(s.Rows)+1, MaxColumns)
		}
		if shown.GetRowOpts().Hidden {
			s.Unseen = append(s.Unseen, len(s.Rows))
		}
		row, err := s.row(values, raw, cells)
		if err != nil {
			return s, fmt.Errorf("row %d: %w", len(s.Rows)+1, err)
		}
		s.Rows = append(s.Rows, row)
	}
	if err := cmp.Or(held.Error(), shown.Error()); err != nil {
		return s, err
	}
	merged, err := f.GetMergeCells(name, true)
	if err != nil {
		return s, err
	}
	if err := s.merge(merged); err != nil {
		return s, err
	}
	// Blank rows at the end are leftovers of formatting.
	for len(s.Rows) > 0 && len(s.Rows[len(s.Rows)-1]) == 0 {
		s.Rows = s.Rows[:len(s.Rows)-1]
	}
	return s, nil
}

// row reads the next row.
func (s *Sheet) row(values *values, raw, shown []string) ([]string, error) {
	var out []string
	for i := range max(len(raw), len(shown)) {
		at := Place{len(s.Rows), i}
		text, fact, err := values.text(at, cellOf(raw, i), cellOf(shown, i))
		if err != nil {
			return nil, err
		}
		out = append(out, text)
		if fact != (Fact{}) {
			s.note(at, fact)
		}
	}
	return out, nil
}

func (s *Sheet) note(at Place, fact Fact) {
	if s.Facts == nil {
		s.Facts = map[Place]Fact{}
	}
	s.Facts[at] = fact
}

func cellOf(row []string, column int) string {
	if column < len(row) {
		return row[column]
	}
	return ""
}

// merge gives the text of a merged cell to all its rows. It stays in its first
// column: a title over several columns is no value of each.
func (s *Sheet) merge(ranges []excelize.MergeCell) error {
	for _, m := range ranges {
		column, first, err := excelize.CellNameToCoordinates(m.GetStartAxis())
		if err != nil {
			return err
		}
		_, last, err := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err != nil {
			return err
		}
		if first > len(s.Rows) || column > MaxColumns {
			continue
		}
		text := cellOf(s.Rows[first-1], column-1)
		fact := s.Facts[Place{first - 1, column - 1}]
		if fact.Merged = true; text == "" && fact.Lost == "" {
			continue
		}
		for row := first; row < min(last, len(s.Rows)); row++ {
			for len(s.Rows[row]) < column {
				s.Rows[row] = append(s.Rows[row], "")
			}
			s.Rows[row][column-1] = text
			s.note(Place{row, column - 1}, fact)
		}
	}
	return nil
}

// WriteXLSX writes a workbook. The header of each sheet stays in view and can be
// filtered by. Every cell is text, so that nothing is computed, whatever it
// begins with. The same sheets give the same bytes.
func WriteXLSX(w io.Writer, sheets []Sheet) error {
	f := excelize.NewFile()
	defer f.Close()
	head, err := f.NewStyle(&excelize.Style{
		Font:      &excelize.Font{Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7ECF3"}},
		Alignment: &excelize.Alignment{Vertical: "top", WrapText: true},
	})
	if err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	// 49 is the number format of text: an edited cell stays what was typed.
	body, err := f.NewStyle(&excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	if err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	taken := map[string]bool{}
	for i, s := range sheets {
		name := sheetName(s.Name, taken)
		if i == 0 {
			err = f.SetSheetName(f.GetSheetName(0), name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err == nil {
			err = fill(f, name, s.Rows, head, body)
		}
		if err != nil {
			return fmt.Errorf("write sheet %s: %w", s.Name, err)
		}
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write the workbook: %w", err)
	}
	return nil
}

// fill writes the rows of one sheet.
func fill(f *excelize.File, name string, rows [][]string, head, body int) error {
	columns := 0
	for i, row := range rows {
		columns = max(columns, len(row))
		for j, text := range row {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			if err := f.SetCellStr(name, cell, clip(text)); err != nil {
				return err
			}
		}
	}
	if columns == 0 {
		return nil
	}
	last, err := excelize.CoordinatesToCellName(columns, max(1, len(rows)))
	if err != nil {
		return err
	}
	if err := f.SetCellStyle(name, "A1", last, body); err != nil {
		return err
	}
	top, err := excelize.CoordinatesToCellName(columns, 1)
	if err != nil {
		return err
	}
	if err := f.SetCellStyle(name, "A1", top, head); err != nil {
		return err
	}
	if err := f.AutoFilter(name, "A1:"+last, nil); err != nil {
		return err
	}
	if err := f.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for j := range columns {
		column, err := excelize.ColumnNumberToName(j + 1)
		if err != nil {
			return err
		}
		if err := f.SetColWidth(name, column, column, width(rows, j)); err != nil {
			return err
		}
	}
	return nil
}

// width returns how wide a column is shown, in characters.
func width(rows [][]string, column int) float64 {
	widest := 8
	for _, row := range rows {
		if column < len(row) {
			widest = max(widest, utf8.RuneCountInString(row[column]))
		}
	}
	return float64(min(widest, 48) + 2)
}

// clip shortens a text to what a cell holds.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= MaxCell {
		return s
	}
	return string([]rune(s)[:MaxCell-1]) + "…"
}

var forbidden = strings.NewReplacer(":", "-", `\`, "-", "/", "-", "?", "-", "*", "-", "[", "(", "]", ")", "'", "-")

// sheetName makes a name that a spreadsheet accepts, once per workbook.
func sheetName(name string, taken map[string]bool) string {
	name = forbidden.Replace(name)
	if name == "" {
		name = "Sheet"
	}
	short := []rune(name)
	short = short[:min(len(short), maxName)]
	try := string(short)
	for n := 2; taken[strings.ToLower(try)]; n++ {
		suffix := fmt.Sprintf("~%d", n)
		try = string(short[:min(len(short), maxName-len(suffix))]) + suffix
	}
	taken[strings.ToLower(try)] = true
	return try
}

// WriteCSV writes rows as CSV (RFC 4180, UTF-8) that a spreadsheet opens without
// computing anything: a cell that it would take for a formula gets an apostrophe
// in front, which is how a spreadsheet itself marks text.
func WriteCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, text := range row {
			safe[i] = Harmless(text)
		}
		if err := out.Write(safe); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

var plainNumber = regexp.MustCompile(`^[-+]?[0-9]+([.,][0-9]+)?$`)

// Harmless returns a text that no spreadsheet takes for a formula when it opens
// a CSV file. Numbers with a sign stay as they are.
func Harmless(s string) string {
	// A spreadsheet looks behind blanks, and some look behind quotes.
	trimmed := strings.TrimLeft(s, " \u00a0\ufeff\"")
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	if trimmed == "" || plainNumber.MatchString(s) {
		return s
	}
	switch first, _ := utf8.DecodeRuneInString(trimmed); first {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '\t', '\r', '\n':
		return "'" + s
	}
	return s
}
