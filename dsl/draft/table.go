package draft

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/sheet"
)

// Table is a sheet with the row of its header found.
type Table struct {
	name   string // of the sheet, "" for a CSV file
	header []string
	first  int // of the rows, counted from 0 in the sheet
	rows   [][]string
	facts  map[sheet.Place]sheet.Fact
}

// maxHeader is how far down a header may stand, below titles and logos.
const maxHeader = 20

// TableOf finds the header of a sheet: the first row with at least two cells, or
// the first with any. Cells of a header that are merged over several rows draw it
// down to the last of them.
func TableOf(s sheet.Sheet) (*Table, error) {
	at, any := -1, -1
	for i, row := range s.Rows[:min(len(s.Rows), maxHeader)] {
		n := 0
		for _, c := range row {
			if strings.TrimSpace(c) != "" {
				n++
			}
		}
		if n > 0 && any < 0 {
			any = i
		}
		if n > 1 {
			at = i
			break
		}
	}
	if at < 0 {
		at = any
	}
	if at < 0 {
		return nil, fmt.Errorf("%s is empty", named(s.Name))
	}
	for at+1 < len(s.Rows) && slices.ContainsFunc(columnsOf(s.Rows[at+1]), func(c int) bool { return s.Facts[sheet.Place{Row: at + 1, Column: c}].Merged }) {
		at++
	}
	t := &Table{name: s.Name, first: at + 1, rows: s.Rows[at+1:], facts: s.Facts}
	for _, c := range s.Rows[at] {
		t.header = append(t.header, strings.TrimSpace(c))
	}
	for len(t.header) > 0 && t.header[len(t.header)-1] == "" {
		t.header = t.header[:len(t.header)-1]
	}
	return t, nil
}

func columnsOf(row []string) []int {
	out := make([]int, len(row))
	for i := range row {
		out[i] = i
	}
	return out
}

func named(sheet string) string {
	if sheet == "" {
		return "the table"
	}
	return "sheet " + sheet
}

// place names a cell as spreadsheets do: Codes!B7.
func (t *Table) place(row, column int) string {
	name := ""
	for n := column; n >= 0; n = n/26 - 1 {
		name = string(rune('A'+n%26)) + name
	}
	at := fmt.Sprintf("%s%d", name, t.first+row+1)
	if t.name == "" {
		return "cell " + at
	}
	return "cell " + t.name + "!" + at
}

// text returns a cell without blanks around it; behind the end of a row it is
// empty. An apostrophe that keeps a spreadsheet from computing is no part of it.
func (t *Table) text(row, column int) string {
	if column < 0 || column >= len(t.rows[row]) {
		return ""
	}
	s := strings.TrimSpace(t.rows[row][column])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsAny(s[1:2], "=+-@") {
		return s[1:]
	}
	return s
}

// spoiled says why a cell cannot be what was meant, "" where it can.
func (t *Table) spoiled(row, column int) string {
	if column >= len(t.rows[row]) {
		return ""
	}
	if lost := t.fact(row, column).Lost; lost != "" {
		return lost
	}
	return spoiled(strings.TrimSpace(t.rows[row][column]))
}

// fact is what the sheet says of a cell beside its text.
func (t *Table) fact(row, column int) sheet.Fact {
	return t.facts[sheet.Place{Row: t.first + row, Column: column}]
}

// merged tells that a cell got its text from the one above it.
func (t *Table) merged(row, column int) string {
	if t.fact(row, column).Merged {
		return ", with which it is merged"
	}
	return ""
}

// maxRemarks is how many cells a remark names.
const maxRemarks = 3

// remarks are sentences on cells of some columns that people see otherwise than
// they were taken.
func (t *Table) remarks(columns []int) []string {
	var forms, parts []string
	shown, held := 0, 0
	for i := range t.rows {
		for _, c := range columns {
			f := t.fact(i, c)
			if f.Merged {
				continue // said of the first of them
			}
			if f.Shown != "" {
				if shown++; shown <= maxRemarks {
					forms = append(forms, fmt.Sprintf("%s shows %s, taken as %s", t.place(i, c), f.Shown, t.text(i, c)))
				}
			}
			if f.Held != "" {
				if held++; held <= maxRemarks {
					parts = append(parts, fmt.Sprintf("%s shows %s and holds %s", t.place(i, c), t.text(i, c), f.Held))
				}
			}
		}
	}
	var out []string
	if shown > 0 {
		out = append(out, fmt.Sprintf("%s taken in another form than shown: %s", plural(shown, "cell"), strings.Join(forms, "; ")))
	}
	if held > 0 {
		out = append(out, fmt.Sprintf("%s taken as shown, which is not all of it: %s", plural(held, "cell"), strings.Join(parts, "; ")))
	}
	return out
}

// blank reports whether a row has no text at all.
func (t *Table) blank(row int) bool {
	return !slices.ContainsFunc(t.rows[row], func(c string) bool { return strings.TrimSpace(c) != "" })
}

// broken are what spreadsheets show instead of a value.
var broken = []string{"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"}

// spoiled says why the text of a cell cannot be what was meant, "" where it can.
func spoiled(s string) string {
	switch {
	case slices.Contains(broken, strings.ToUpper(s)):
		return "shows " + s + ": its formula has no value"
	case strings.HasPrefix(s, "="):
		return "holds a formula and no value"
	case scientific(s):
		return "shows " + s + ": the spreadsheet made a rounded number of a code; format the column as text and enter it again"
	}
	return ""
}

// scientific recognises 1.23E+11, which once was a long number.
func scientific(s string) bool {
	mantissa, exponent, ok := strings.Cut(s, "E+")
	return ok && mantissa != "" && exponent != "" && strings.Trim(mantissa, "0123456789.,") == "" && strings.Trim(exponent, "0123456789") == ""
}
