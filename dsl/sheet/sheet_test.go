package sheet

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func write(t testing.TB, sheets ...Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteXLSX(&b, sheets); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is written is read again, cell by cell: zeros, formulas and all.
func TestRoundTrip(t *testing.T) {
	sheets := []Sheet{
		{Name: "codes", Rows: [][]string{{"code", "service"}, {"0042", "GROUND"}, {"1e5", "=1+1"}, {"", "ß 🚚"}, {"-5", "a\nb"}}},
		{Name: "empty"},
	}
	raw := write(t, sheets...)
	got, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sheets, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if again := write(t, sheets...); !bytes.Equal(raw, again) {
		t.Error("the same sheets gave other bytes")
	}
}

// No cell of a workbook is a formula.
func TestNothingIsComputed(t *testing.T) {
	raw := write(t, Sheet{Name: "x", Rows: [][]string{{"a"}, {"=HYPERLINK(\"http://evil\")"}, {"@SUM(1)"}}})
	f, err := excelize.OpenReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, cell := range []string{"A2", "A3"} {
		formula, err := f.GetCellFormula("x", cell)
		if err != nil || formula != "" {
			t.Errorf("%s is the formula %q (%v)", cell, formula, err)
		}
		if kind, err := f.GetCellType("x", cell); err != nil || kind != excelize.CellTypeSharedString {
			t.Errorf("%s has the type %v (%v)", cell, kind, err)
		}
	}
}

// A workbook made by a person: numbers with a format, dates, formulas with a
// value.
func TestReadsWhatIsShown(t *testing.T) {
	f := excelize.NewFile()
	zeros, err := f.NewStyle(&excelize.Style{CustomNumFmt: new("00000")})
	if err != nil {
		t.Fatal(err)
	}
	for cell, v := range map[string]any{"A1": "zip", "B1": "n", "A2": 1067, "B2": 1.5} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellStyle("Sheet1", "A2", "A2", zeros); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := []Sheet{{Name: "Sheet1", Rows: [][]string{{"zip", "n"}, {"01067", "1.5"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, raw := range map[string]string{"nothing": "", "text": "code,service\n", "a broken zip": "PK\x03\x04 and then nothing"} {
		if _, err := Read(strings.NewReader(raw)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestSheetNames(t *testing.T) {
	long := strings.Repeat("a", 40)
	raw := write(t, Sheet{Name: "a/b:c"}, Sheet{Name: long}, Sheet{Name: long}, Sheet{Name: ""})
	got, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
	}
	want := []string{"a-b-c", long[:31], long[:29] + "~2", "Sheet"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"":         "",
		"SO-1":     "SO-1",
		".a | .b":  ".a | .b",
		"-5":       "-5",
		"+49":      "+49",
		"-5.20":    "-5.20",
		"-5+cmd":   "'-5+cmd",
		"=1+1":     "'=1+1",
		" =1+1":    "' =1+1",
		"+A1":      "'+A1",
		"@SUM(A1)": "'@SUM(A1)",
		"\t=1":     "'\t=1",
		"\r=1":     "'\r=1",
		"＝1":       "'＝1",
		"\"=1":     "'\"=1",
		"- note":   "'- note",
		"lb -> kg": "lb -> kg",
		"|cmd":     "'|cmd",
	} {
		if got := Harmless(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching(`[-+=@a-z0-9 ",\n.]{0,6}`), 2, 2), 1, 4).Draw(t, "rows")
		var b bytes.Buffer
		if err := WriteCSV(&b, rows); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j, text := range row {
				if got[i][j] != Harmless(text) {
					t.Fatalf("%q was read as %q", text, got[i][j])
				}
			}
		}
	})
}
