package catalogue

import (
	"bytes"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/sheet"
)

var columns = []string{"Target", "Type", "Required", "Source", "Rule", "Lookup", "Default", "Dates, units, lengths", "Example", "Personal data", "Note", "Expression"}

// table is a mapping sheet as rows of cells, its header first.
func (s *Sheet) table() [][]string {
	rows := [][]string{columns}
	for _, h := range s.Helpers {
		rows = append(rows, []string{"$" + h.Name, "helper value", "", strings.Join(h.Sources, ", "), h.Rule, "", "", "", "", "", "", h.Cell})
	}
	for _, f := range s.Fields {
		rows = append(rows, []string{f.Target, f.Type, yes(f.Required), strings.Join(f.Sources, ", "), f.Rule, f.Lookup, f.Default,
			f.Convert, f.Example, yes(f.Personal), f.Note, f.Cell})
	}
	for _, n := range s.Never {
		rows = append(rows, []string{n, "", "", "", "this source never has it", "", "", "", "", "", "", ""})
	}
	for _, n := range s.Unfilled {
		rows = append(rows, []string{n, "", "", "", "not filled", "", "", "", "", "", "", ""})
	}
	return rows
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return ""
}

// codes is a lookup as rows of cells, its header first.
func codes(l *compile.Lookup) [][]string {
	t := l.Table
	header := []string{"Code"}
	if len(t.Columns) == 0 {
		header = append(header, "Value")
	}
	rows := [][]string{append(header, t.Columns...)}
	for _, code := range t.Codes() {
		row := []string{code}
		if len(t.Columns) == 0 {
			v, _ := t.Find(code, "")
			row = append(row, plain(v))
		}
		for _, column := range t.Columns {
			v, _ := t.Find(code, column)
			row = append(row, plain(v))
		}
		rows = append(rows, row)
	}
	return rows
}

func plain(v any) string {
	if v == nil {
		return ""
	}
	return text(v)
}

// workbook is everything in one XLSX file: the mappings, then the tables.
func (c *Catalogue) workbook() ([]byte, error) {
	index := sheet.Sheet{Name: "Contents", Rows: [][]string{{"Sheet", "What it is", "From", "To"}}}
	sheets := []sheet.Sheet{index}
	for _, m := range c.mappings {
		s := c.sheet(m)
		sheets[0].Rows = append(sheets[0].Rows, []string{s.Name, "mapping: " + s.Description, s.Input, s.Output})
		sheets = append(sheets, sheet.Sheet{Name: s.Name, Rows: s.table()})
	}
	for _, l := range c.lookups {
		sheets[0].Rows = append(sheets[0].Rows, []string{plainName(l.Name), "table: " + l.Spec.Description.Value, "", ""})
		sheets = append(sheets, sheet.Sheet{Name: plainName(l.Name), Rows: codes(l)})
	}
	var b bytes.Buffer
	if err := sheet.WriteXLSX(&b, sheets); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func csvFile(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	if err := sheet.WriteCSV(&b, rows); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
