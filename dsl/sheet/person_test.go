package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// book is a workbook as a person made it.
type book struct {
	t   *testing.T
	f   *excelize.File
	row int
}

func newBook(t *testing.T) *book {
	f := excelize.NewFile()
	t.Cleanup(func() { f.Close() })
	return &book{t, f, 0}
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// put writes the next cell of column A. raw is what the file holds of a number.
func (b *book) put(v any, raw string, format any) {
	b.t.Helper()
	b.row++
	at := fmt.Sprintf("A%d", b.row)
	switch {
	case raw != "":
		b.must(b.f.SetCellDefault("Sheet1", at, raw))
	case v != nil:
		b.must(b.f.SetCellValue("Sheet1", at, v))
	}
	style := &excelize.Style{}
	switch f := format.(type) {
	case int:
		style.NumFmt = f
	case string:
		style.CustomNumFmt = &f
	default:
		return
	}
	id, err := b.f.NewStyle(style)
	b.must(err)
	b.must(b.f.SetCellStyle("Sheet1", at, at, id))
}

func (b *book) read() []Sheet {
	b.t.Helper()
	var raw bytes.Buffer
	b.must(b.f.Write(&raw))
	got, err := Read(&raw)
	b.must(err)
	return got
}

// Every kind of cell that people keep is read as what they see, or in a form
// that everybody reads alike. Nothing changes unsaid.
func TestReadsWhatPeopleKeep(t *testing.T) {
	at := time.Date(2026, 3, 7, 14, 5, 9, 0, time.UTC)
	day := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
	const serial = "46088"
	for _, c := range []struct {
		name   string
		v      any
		raw    string
		format any
		want   string
		fact   string // a part of what is said of it
	}{
		{"a date in the form of the country", day, "", 14, "2026-03-07", "shown 03-07-26"},
		{"a date by name", day, "", 15, "2026-03-07", "shown 7-Mar-26"},
		{"a moment", at, "", 22, "2026-03-07T14:05:09", "shown 3/7/26 14:05"},
		{"a time", at, "", 18, "14:05:09", "shown 2:05 PM"},
		{"minutes and seconds", at, "", 45, "14:05:09", "shown 05:09"},
		{"days first", day, "", "dd/mm/yyyy", "2026-03-07", "shown 07/03/2026"},
		{"months first", day, "", "mm/dd/yyyy", "2026-03-07", "shown 03/07/2026"},
		{"as in Germany", at, "", "dd.mm.yyyy hh:mm", "2026-03-07T14:05:09", "shown 07.03.2026 14:05"},
		{"a date in words", day, "", "[$-407]d. mmmm yyyy;@", "2026-03-07", "shown 7. März 2026"},
		{"a date in ISO form", day, "", "yyyy-mm-dd", "2026-03-07", ""},
		{"a date of Japan", nil, serial, 31, "2026-03-07", "shown"},
		{"a time of China", nil, "0.5", 32, "12:00:00", "shown"},
		{"hours that do not end", 36*time.Hour + 5*time.Minute, "", 46, "36:05:00", ""},
		{"a year", day, "", "yyyy", "2026", ""},
		{"a weekday", day, "", "dddd", "Saturday", ""},
		{"the code 7-3", day, "", 16, "2026-03-07", "doubt shows 7-Mar: "},
		{"the code MAR26", day, "", 17, "2026-03", "doubt shows Mar-26: "},
		{"a date before all dates", nil, "-3", 14, "-3", "lost holds -3, which is no date"},
		{"a share in full", 0.125, "", 10, "12.50%", ""},
		{"a share that is rounded", 0.125, "", 9, "12.5%", "shown 13%"},
		{"yes", true, "", nil, "TRUE", ""},
		{"no", false, "", nil, "FALSE", ""},
		{"zeros of the format", 7, "", "00000", "00007", ""},
		{"zeros of the text", "007", "", nil, "007", ""},
		{"a text of digits", "12345678901234567890", "", nil, "12345678901234567890", ""},
		{"a text that looks rounded", "1E5", "", 49, "1E5", ""},
		{"twelve digits", 123456789012, "", nil, "123456789012", ""},
		{"twelve digits shown as 1.23E+11", 123456789012, "", 11, "123456789012", "shown 1.23E+11"},
		{"sixteen digits, all in the file", nil, "4006381333931238", nil, "4006381333931238", "shown 4.00638133393124E+15"},
		{"twenty digits, all in the file", nil, "12345678901234567891", nil, "12345678901234567891", "shown"},
		{"twenty digits as a spreadsheet keeps them", nil, "1.23456789012345E+19", nil, "1.23456789012345E+19", "lost is a number of 20 digits, of which a spreadsheet keeps 15"},
		{"the same, shown in full", nil, "1.2345678901234499E+19", 1, "12345678901234500000", "lost is a number of 20 digits"},
		{"sixteen digits as a spreadsheet keeps them", nil, "4006381333931230", nil, "4006381333931230", "lost is a number of 16 digits"},
		{"the noise of binary fractions", nil, "0.30000000000000004", nil, "0.3", ""},
		{"a small number", nil, "1.0000000000000001E-7", nil, "0.0000001", "shown"},
		{"thousands", 1234567, "", 3, "1234567", "shown 1,234,567"},
		{"a price that is rounded", nil, "1234567.891", 4, "1234567.891", "shown 1,234,567.89"},
		{"a price", 1.5, "", 2, "1.50", ""},
		{"a number shown in thousands", 1234567, "", "0,", "1234567", "shown 1235"},
		{"a debt", -5, "", "#,##0_);(#,##0)", "-5", "shown (5)"},
		{"a half", 0.5, "", 12, "0.5", "shown 0 1/2"},
		{"a number that is not shown", 5, "", ";;;", "5", ""},
		{"a weight", 5, "", `0 "kg"`, "5 kg", ""},
		{"a weight that is rounded", 5.26, "", `0.0 "kg"`, "5.3 kg", "held 5.26"},
		{"an amount", 1234.5, "", `"$"#,##0.00`, "$1,234.50", ""},
		{"a number in parts", 12345, "", "000-00-0000", "000-01-2345", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook(t)
			b.put(c.v, c.raw, c.format)
			s := b.read()[0]
			if got := s.Rows[0][0]; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			f := s.Facts[Place{0, 0}]
			said := ""
			switch {
			case f.Lost != "":
				said = "lost " + f.Lost
			case f.Doubt != "":
				said = "doubt " + f.Doubt
			case f.Held != "":
				said = "held " + f.Held
			case f.Shown != "":
				said = "shown " + f.Shown
			}
			if c.fact == "" && said != "" || !strings.HasPrefix(said, c.fact) {
				t.Errorf("said is %q, want %q", said, c.fact)
			}
		})
	}
}

// A workbook whose days are counted from 1904 has the same dates.
func TestDaysFrom1904(t *testing.T) {
	b := newBook(t)
	b.must(b.f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: new(true)}))
	b.put(nil, "44626", 14)
	if got := b.read()[0].Rows[0][0]; got != "2026-03-07" {
		t.Error(got)
	}
}

// Formulas count as their result; one whose result is not in the file says so.
func TestFormulas(t *testing.T) {
	b := newBook(t)
	b.put(nil, "2", nil)
	b.must(b.f.SetCellFormula("Sheet1", "A1", "1+1"))
	// Libraries that write a formula without its result give it no type either.
	b.must(b.f.SetCellFormula("Sheet1", "A2", "1+1"))
	b.must(b.f.SetCellFormula("Sheet1", "A3", `IF(A1=2,"","x")`))
	var raw bytes.Buffer
	b.must(b.f.Write(&raw))
	sheets, err := Read(bytes.NewReader(untyped(t, raw.Bytes(), "A2")))
	b.must(err)
	s := sheets[0]
	if got := s.Facts[Place{2, 0}]; got != (Fact{}) {
		t.Errorf("a formula that gives an empty text: %v", got)
	}
	if s.Rows[0][0] != "2" || s.Facts[Place{0, 0}] != (Fact{}) {
		t.Errorf("%q %v", s.Rows[0], s.Facts)
	}
	if got := s.Facts[Place{1, 0}].Lost; !strings.HasPrefix(got, "holds a formula whose result is not in the file") {
		t.Errorf("%q", got)
	}
}

// untyped takes the type from a cell of a workbook.
func untyped(t *testing.T, raw []byte, cell string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == "xl/worksheets/sheet1.xml" {
			typed := `r="` + cell + `" t="str"`
			if !bytes.Contains(text, []byte(typed)) {
				t.Fatalf("%s is not in %s", typed, text)
			}
			text = bytes.Replace(text, []byte(typed), []byte(`r="`+cell+`"`), 1)
		}
		w, err := out.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A merged cell belongs to all its rows, a title over columns to the first; what
// people do not see is there and known.
func TestMergedAndHidden(t *testing.T) {
	b := newBook(t)
	for at, v := range map[string]string{"A1": "Codes of 2026", "A2": "Code", "B2": "Event", "A3": "01", "B3": "out", "A4": "02", "A5": "03", "B5": "back"} {
		b.must(b.f.SetCellStr("Sheet1", at, v))
	}
	b.must(b.f.MergeCell("Sheet1", "A1", "B1"))
	b.must(b.f.MergeCell("Sheet1", "B3", "B4"))
	b.must(b.f.SetRowVisible("Sheet1", 5, false))
	_, err := b.f.NewSheet("Notes")
	b.must(err)
	b.must(b.f.SetSheetVisible("Notes", false))
	got := b.read()
	want := [][]string{{"Codes of 2026"}, {"Code", "Event"}, {"01", "out"}, {"02", "out"}, {"03", "back"}}
	if diff := cmp.Diff(want, got[0].Rows); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !got[0].Facts[Place{3, 1}].Merged || got[0].Facts[Place{2, 1}].Merged {
		t.Errorf("%v", got[0].Facts)
	}
	if diff := cmp.Diff([]int{4}, got[0].Unseen); diff != "" || got[0].Hidden || !got[1].Hidden {
		t.Errorf("%s %v %v", diff, got[0].Hidden, got[1].Hidden)
	}
}

// A chart between the sheets does not keep the tables from being read.
func TestChartSheet(t *testing.T) {
	b := newBook(t)
	b.put("Code", "", nil)
	b.must(b.f.AddChartSheet("Chart", &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Name: "x", Categories: "Sheet1!$A$1:$A$1", Values: "Sheet1!$A$1:$A$1"}}}))
	if got := b.read(); len(got) != 1 || got[0].Rows[0][0] != "Code" {
		t.Errorf("%v", got)
	}
}
