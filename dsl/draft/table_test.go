package draft

import (
	"bytes"
	"strings"
	"testing"

	"crossdock/dsl/parser"
	"crossdock/dsl/sheet"
)

// table is a sheet as it comes out of a workbook.
func table(t testing.TB, rows [][]string) *Table {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.WriteXLSX(&b, []sheet.Sheet{{Name: "Map", Rows: rows}}); err != nil {
		t.Fatal(err)
	}
	sheets, err := sheet.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := TableOf(sheets[0])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLookupSheet(t *testing.T) {
	text, said, err := LookupSheet("codes", table(t, [][]string{{"Status codes of 2026"}, {}, {"Code", "Event", "Reason Text"},
		{"010", "out", ""}, {}, {"031", "failed", "site: closed"}, {"'=x", "'=1+1", "a \"b\""}}), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "  \"010\": {Event: out}\n  \"031\": {Event: failed, Reason_Text: \"site: closed\"}\n  \"=x\": {Event: \"=1+1\", Reason_Text: \"a \\\"b\\\"\"}\n"
	if !strings.HasSuffix(string(text), want) || said[0] != "3 codes; code: Code; value: Event, Reason Text" {
		t.Errorf("%s\n%s", text, said)
	}
	one, _, err := LookupSheet("codes", table(t, [][]string{{"A", "Code", "B"}, {"x", "1", "y"}}), "code", []string{"B"})
	if err != nil || !strings.HasSuffix(string(one), "  \"1\": \"y\"\n") {
		t.Errorf("%v\n%s", err, one)
	}
}

func TestLookupSheetErrors(t *testing.T) {
	for want, rows := range map[string][][]string{
		"cell Map!A3 is empty":                        {{"Code", "V"}, {"1", "x"}, {"", "y"}},
		"cell Map!A3 has the code 1 again":            {{"Code", "V"}, {"1", "x"}, {" 1 ", "y"}},
		"cell Map!A2 shows 1.23E+11":                  {{"Code", "V"}, {"1.23E+11", "x"}},
		"cell Map!B2 shows #N/A":                      {{"Code", "V"}, {"1", "#N/A"}},
		"cell Map!B2 is empty: the code has no value": {{"Code", "V"}, {"1", ""}},
		"no row below its header":                     {{"Code", "V"}},
		"no column with values":                       {{"Code"}, {"1"}},
	} {
		if _, _, err := LookupSheet("x", table(t, rows), "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, _, err := LookupSheet("x", table(t, [][]string{{"Code", "V"}, {"1", "x"}}), "Kode", nil); err == nil || !strings.Contains(err.Error(), "there are Code, V") {
		t.Error(err)
	}
}

func TestMappingSheet(t *testing.T) {
	text, said, err := MappingSheet("bolt", table(t, [][]string{
		{"No", "Target Field", "Source", "Transformation", "Default Value", "M/O", "Data Type", "Max Length", "Comment"},
		{"1", "reference", "PO_NUMBER", "", "", "M", "", "20", ""},
		{"2", "ship_to.name", "shipTo/name", "trim blanks", "", "O", "AN..35", "", "as on the label"},
		{"3", "zip", "Post Code", "", "", "", "string", "", ""},
		{"4", "total", "", ".net + .tax", "0", "", "decimal(2)", "", ""},
		{"5", "lines[].sku", "items[*].material", "", "", "M", "", "", ""},
		{"6", "lines[].order", "PO_NUMBER", "", "", "", "", "", ""},
		{"7", "later", "", "", "", "", "", "", "ask the client"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"reference: {from: .PO_NUMBER, max_length: 20, required: true}",
		"ship_to.name: {from: .shipTo.name, note: \"type AN..35. trim blanks. as on the label\"}",
		"zip: {from: '.\"Post Code\"', type: string}", "total: {from: .net + .tax, default: \"0\", type: decimal(2)}",
		"each: .items\n    fields:\n      sku: {from: .material, required: true}\n      order: $root.PO_NUMBER", "# TODO later: no source. ask the client",
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if len(said) != 3 || !strings.Contains(said[0], "target: Target Field, source: Source, rule: Transformation") || said[1] != "not used: No" || said[2] != "6 rows written, 1 left as TODO, 1 rule kept as notes" {
		t.Errorf("%q", said)
	}
}

// TestTypesOfSheets: how dates and numbers come is told by a column of its own, as
// the language, spreadsheets or databases write it.
func TestTypesOfSheets(t *testing.T) {
	rows := [][]string{{"Target", "Source", "Type", "Date Format", "Output Format", "Time Zone"}}
	for want, cells := range map[string][]string{
		`{from: .a, type: date, parse: dd.MM.yyyy}`:                                     {"date", "DD.MM.YYYY", "", ""},
		`{from: .a, type: datetime, parse: "yyyy-MM-dd HH:mm:ss", zone: Europe/Berlin}`: {"DateTime", "YYYY-MM-DD HH24:MI:SS", "", "Europe/Berlin"},
		`{from: .a, type: datetime, parse: "yyyy-MM-dd'T'HH:mm"}`:                       {"datetime", "yyyy-mm-ddThh:mm", "", ""},
		`{from: .a, type: datetime}`:                                                    {"datetime", "ISO 8601", "", ""},
		`{from: .a, type: date, parse: epoch, format: yyyyMMdd}`:                        {"date", "epoch", "YYYYMMDD", ""},
		`{from: .a, type: decimal(2), parse: "1.234,56"}`:                               {"decimal(2)", "1.234,56", "", ""},
		`{from: .a, type: date, parse: dd/MM/yy, note: "zone Middle Earth"}`:            {"date", "dd/MM/yy", "", "Middle Earth"},
		`{from: .a, note: "type date"}`:                                                 {"date", "", "", ""},
		`{from: .a, type: date, note: "comes as as we agreed"}`:                         {"date", "as we agreed", "", ""},
		`{from: .a, note: "type CHAR(8). comes as DD.MON.YYYY. is written as DDMM"}`:    {"CHAR(8)", "DD.MON.YYYY", "DDMM", ""},
		`{from: .a, type: time, parse: HHmm}`:                                           {"time", "HHMM", "", ""},
		`{from: .a, type: string}`:                                                      {"string", "", "", ""},
	} {
		text, _, err := MappingSheet("x", table(t, append(rows, append([]string{"a", "a"}, cells...))))
		if err != nil || !strings.Contains(string(text), "a: "+want+"\n") {
			t.Errorf("%q: %v, want %s in\n%s", cells, err, want, text)
		}
	}
}

func TestMappingSheetErrors(t *testing.T) {
	for want, rows := range map[string][][]string{
		"no column is named target":               {{"x", "Source"}, {"a", "b"}},
		"no column is named source":               {{"Target", "x"}, {"a", "b"}},
		"cell Map!A3: the target a is in":         {{"Target", "Source"}, {"a", "b"}, {"a", "c"}},
		"cell Map!A2 is empty, but its line":      {{"Target", "Source"}, {"", "c"}},
		"cell Map!A2: `a b` cannot be a target":   {{"Target", "Source"}, {"a b", "c"}},
		"cell Map!C2: `maybe` says neither":       {{"Target", "Source", "Mandatory"}, {"a", "c", "maybe"}},
		"cell Map!C2: `long` is no number":        {{"Target", "Source", "Length"}, {"a", "c", "long"}},
		"cell Map!B3: the list l is read from .n": {{"Target", "Source"}, {"l[].a", "m[].a"}, {"l[].b", "n[].b"}},
		"cell Map!B2: `.[` cannot be read":        {{"Target", "Source"}, {"a", ".["}},
	} {
		if _, _, err := MappingSheet("x", table(t, rows)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzSheets: whatever a sheet holds, what is made of it is a definition that
// the parser has no doubts about.
func FuzzSheets(f *testing.F) {
	f.Add("Target;Source;Note\na;b.c;x # y\nl[].x;m[].y;\"\n")
	f.Add("Code,V\n01,x\n'=1,\"{a: b}\"\n")
	f.Add("target,source,rule,type\na,Order No,. | tostring,decimal(2)\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := sheet.ReadCSV([]byte(text))
		if err != nil || len(text) > 8192 {
			return
		}
		tab, err := TableOf(s)
		if err != nil {
			return
		}
		for _, make := range []func() ([]byte, []string, error){
			func() ([]byte, []string, error) { return LookupSheet("x", tab, "", nil) },
			func() ([]byte, []string, error) { return MappingSheet("x", tab) },
		} {
			out, _, err := make()
			if err != nil {
				continue
			}
			if _, list := parser.Parse("x.yaml", out); len(list) > 0 {
				t.Fatalf("%q\n%s\n%v", text, out, list)
			}
		}
	})
}

// What a spreadsheet shows otherwise than it was taken is said; what it has lost
// is refused where it would be used.
func TestFactsOfCells(t *testing.T) {
	made := func(facts map[sheet.Place]sheet.Fact, rows ...[]string) *Table {
		tab, err := TableOf(sheet.Sheet{Name: "S", Rows: rows, Facts: facts})
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	at := func(row, column int, f sheet.Fact) map[sheet.Place]sheet.Fact {
		return map[sheet.Place]sheet.Fact{{Row: row, Column: column}: f}
	}
	short := sheet.Fact{Shown: "2-Jan", Doubt: "shows 2-Jan: the spreadsheet made a date of it"}
	lost := sheet.Fact{Lost: "is a number of 20 digits"}
	for want, tab := range map[string]*Table{
		"cell S!A2 is a number of 20 digits":                  made(at(1, 0, lost), []string{"Code", "V"}, []string{"1E+19", "x"}),
		"cell S!B2 is a number of 20 digits":                  made(at(1, 1, lost), []string{"Code", "V"}, []string{"1", ""}),
		"cell S!A2 shows 2-Jan":                               made(at(1, 0, short), []string{"Code", "V"}, []string{"2026-01-02", "x"}),
		"it is in cell S!A2 already, with which it is merged": made(at(2, 0, sheet.Fact{Merged: true}), []string{"Code", "V"}, []string{"1", "x"}, []string{"1", "y"}),
	} {
		if _, _, err := LookupSheet("x", tab, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// A column that is not used may hold what it wants.
	if _, _, err := LookupSheet("x", made(at(1, 2, lost), []string{"Code", "V", "Old"}, []string{"1", "x", "1E+19"}), "Code", []string{"V"}); err != nil {
		t.Error(err)
	}
	text, said, err := LookupSheet("x", made(at(1, 1, short), []string{"Code", "From"}, []string{"1", "2026-01-02"}), "", nil)
	if err != nil || !strings.HasSuffix(string(text), "\"1\": \"2026-01-02\"\n") || said[1] != "1 cell taken in another form than shown: cell S!B2 shows 2-Jan, taken as 2026-01-02" {
		t.Errorf("%v\n%s%q", err, text, said)
	}
	_, said, err = MappingSheet("x", made(at(1, 2, sheet.Fact{Held: "5.26"}), []string{"Target", "Source", "Note"}, []string{"a", "b", "5.3 kg"}))
	if err != nil || said[1] != "1 cell taken as shown, which is not all of it: cell S!C2 shows 5.3 kg and holds 5.26" {
		t.Errorf("%v %q", err, said)
	}
}

// A header of two rows is the lower one, with what reaches down to it.
func TestHeaderOfTwoRows(t *testing.T) {
	tab, err := TableOf(sheet.Sheet{Rows: [][]string{{"Code", "Values"}, {"Code", "Event", "Reason"}, {"1", "out", "late"}},
		Facts: map[sheet.Place]sheet.Fact{{Row: 1, Column: 0}: {Merged: true}}})
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := LookupSheet("x", tab, "", nil)
	if err != nil || !strings.HasSuffix(string(text), "\"1\": {Event: out, Reason: late}\n") {
		t.Errorf("%v\n%s", err, text)
	}
}
