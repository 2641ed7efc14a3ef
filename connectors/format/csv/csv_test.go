package csv_test

import (
	stdcsv "encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"crossdock/connectors/format"
	"crossdock/connectors/format/csv"
)

// all reads every record and checks that Raw and Value say the same.
func all(t testing.TB, text string, o csv.Options) (rows []map[string]any, lines []int, err error) {
	t.Helper()
	r := csv.Open(strings.NewReader(text), o)
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return rows, lines, nil
		}
		if err != nil {
			return rows, lines, err
		}
		var raw map[string]any
		if err := json.Unmarshal(rec.Raw, &raw); err != nil || !reflect.DeepEqual(raw, rec.Value) {
			t.Fatalf("raw %s differs from value %v (%v)", rec.Raw, rec.Value, err)
		}
		rows, lines = append(rows, rec.Value.(map[string]any)), append(lines, rec.Line)
	}
}

func TestRows(t *testing.T) {
	no := csv.Options{}
	tests := []struct {
		name, text string
		o          csv.Options
		want       string // rows as JSON
		lines      []int
		err        string
	}{
		{"plain", "a,b\n01,2026-05-16\n", no, `[{"a":"01","b":"2026-05-16"}]`, []int{2}, ""},
		{"no newline at the end", "a,b\n1,2", no, `[{"a":"1","b":"2"}]`, []int{2}, ""},
		{"bom and crlf", "\ufeffa,b\r\n1,2\r\n", no, `[{"a":"1","b":"2"}]`, []int{2}, ""},
		{"quoted bom header", "\ufeff\"a\",b\n1,2\n", no, `[{"a":"1","b":"2"}]`, []int{2}, ""},
		{"quotes", "a,b\n\"x \"\"y\"\", z\",\"\"\n", no, `[{"a":"x \"y\", z","b":""}]`, []int{2}, ""},
		{"line breaks in quotes are kept", "a,b\n\"x\r\ny\n\nz\",1\n2,3\n", no, `[{"a":"x\r\ny\n\nz","b":"1"},{"a":"2","b":"3"}]`, []int{2, 6}, ""},
		{"blank lines", "\n\na,b\n\n1,2\n\n\n3,4\n\n", no, `[{"a":"1","b":"2"},{"a":"3","b":"4"}]`, []int{5, 8}, ""},
		{"quoted empty single column is a row", "a\n\"\"\n\nx\n", no, `[{"a":""},{"a":"x"}]`, []int{2, 4}, ""},
		{"spaces stay", "a , b\n 1, 2 \n", no, `[{"a":" 1","b":" 2 "}]`, []int{2}, ""},
		{"semicolon", "a;b\n1,5;2\n", csv.Options{Delimiter: ';'}, `[{"a":"1,5","b":"2"}]`, []int{2}, ""},
		{"tab", "a\tb\n1\t\n", csv.Options{Delimiter: '\t'}, `[{"a":"1","b":""}]`, []int{2}, ""},
		{"no header", "1,2\n", csv.Options{NoHeader: true, Columns: []string{"x", "y"}}, `[{"x":"1","y":"2"}]`, []int{1}, ""},
		{"renamed", "a,b\n1,2\n", csv.Options{Columns: []string{"x", "y"}}, `[{"x":"1","y":"2"}]`, []int{2}, ""},
		{"comments", "# made by x, \"y\na,b\n#1,2\n3,\"#4\"\n", csv.Options{Comment: '#'}, `[{"a":"3","b":"#4"}]`, []int{4}, ""},
		{"utf-8 that is read as another encoding", "\xef\xbb\xbfa\nx\n", csv.Options{Encoding: "windows-1252"}, `null`, nil, "the file begins with the mark of UTF-8, but `encoding` says windows-1252; one of the two is wrong"},
		{"latin1", "a\n\xe9\xa4\n", csv.Options{Encoding: "latin1"}, `[{"a":"é¤"}]`, []int{2}, ""},
		{"windows-1252", "a\n\x80\n", csv.Options{Encoding: "windows-1252"}, `[{"a":"€"}]`, []int{2}, ""},
		{"header only", "a,b\n", no, `null`, nil, ""},
		{"empty", "", no, "", nil, "the file is empty"},
		{"ragged, short", "a,b\n1,2\n3\n", no, "", nil, "line 3: the row has 1 fields, but there are 2 columns"},
		{"another delimiter", "a;b\n1;2,5\n", no, "", nil, "line 2: the row has 2 fields, but there are 1 columns; their names are apart by `;`: write `csv: {delimiter: \";\"}`"},
		{"tabs", "a\tb\n1,0\t2,5\n", no, "", nil, "line 2: the row has 3 fields, but there are 1 columns; their names are apart by `tab`: write `csv: {delimiter: \"tab\"}`"},
		{"one column", "a\n1,5\n", no, "", nil, "line 2: the row has 2 fields, but there are 1 columns"},
		{"ragged, long", "a,b\n1,2,3\n", no, "", nil, "line 2: the row has 3 fields"},
		{"open quote", "a,b\n1,2\n\"x,2\n3,4\n", no, "", nil, "line 3: the quote that opens here is never closed"},
		{"text behind quote", "a,b\n\"x\"y,2\n", no, "", nil, "line 2: text behind a closing quote"},
		{"quote inside", "a,b\n37'5\"N,2\n", no, `[{"a":"37'5\"N","b":"2"}]`, []int{2}, ""},
		{"space before quote", "a,b\n1, \"2,3\"\n", no, "", nil, "line 2: there is a space before a quote"},
		{"not utf-8", "a\n1\n\xe9\n", no, "", nil, "line 3: the row is not UTF-8"},
		{"utf-16", "\xff\xfea\x00", no, "", nil, "UTF-16"},
		{"column twice", "a,b,a\n", no, "", nil, "columns 1 and 3 are both named `a`"},
		{"column without name", "a,\n", no, "", nil, "column 2 has no name"},
		{"columns missing", "1,2\n", csv.Options{NoHeader: true}, "", nil, "`columns`"},
		{"row too long", "a\n" + strings.Repeat("x", 100_000) + "\n", csv.Options{MaxRow: 1000}, "", nil, "line 2: the line is longer"},
		{"quote too long", "a\n\"" + strings.Repeat("x\n", 1000) + "\"\n", csv.Options{MaxRow: 1000}, "", nil, "line 2: the quote is not closed"},
		{"long row", "a\n" + strings.Repeat("x", 100_000) + "\n", no, `[{"a":"` + strings.Repeat("x", 100_000) + `"}]`, []int{2}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, lines, err := all(t, tt.text, tt.o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want []map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(rows, want) || !reflect.DeepEqual(lines, tt.lines) {
				t.Errorf("got  %v %v\nwant %v %v", rows, lines, want, tt.lines)
			}
		})
	}
}

// TestGoesOn: a row of the wrong length spoils only itself.
func TestGoesOn(t *testing.T) {
	r := csv.Open(strings.NewReader("a,b\n1\n2,3\n"), csv.Options{})
	_, err := r.Next()
	var e *format.Error
	if !errors.As(err, &e) || !e.Skip || e.Line != 2 {
		t.Fatalf("got %v", err)
	}
	rec, err := r.Next()
	if err != nil || rec.Line != 3 {
		t.Errorf("got %v %v", rec, err)
	}
	r = csv.Open(strings.NewReader("a\n\"x\n"), csv.Options{})
	_, first := r.Next()
	_, second := r.Next()
	if first == nil || first != second {
		t.Errorf("a spent reader says %v, then %v", first, second)
	}
}

func TestSpectrum(t *testing.T) {
	dir := "../../../../shared/samples/csv-fixed/csv-spectrum"
	files, err := filepath.Glob(dir + "/csvs/*.csv")
	if err != nil || len(files) == 0 {
		t.Skip("the sample collection is not beside this repository")
	}
	// In these two the sample itself does not fit its expectation: other line
	// breaks, and another number and broken characters.
	known := map[string]bool{"newlines_crlf": true, "location_coordinates": true}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			o := csv.Options{}
			if name == "location_coordinates" {
				o.Encoding = "windows-1252"
			}
			rows, _, err := all(t, string(raw), o)
			if err != nil {
				t.Fatal(err)
			}
			if known[name] {
				return
			}
			expected, err := os.ReadFile(dir + "/json/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want any
			if err := json.Unmarshal(expected, &want); err != nil {
				t.Fatal(err)
			}
			if one, ok := want.(map[string]any); ok {
				want = []any{one}
			}
			var got any
			text, err := json.Marshal(rows)
			if err == nil {
				err = json.Unmarshal(text, &got)
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// TestRoundTrip: what encoding/csv writes is read back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "columns")
		header := []string{"a", "b", "c", "d", "e"}[:n]
		cell := rapid.StringOf(rapid.SampledFrom([]rune("ab,;\" \n\té#0")))
		rows := rapid.SliceOf(rapid.SliceOfN(cell, n, n)).Draw(rt, "rows")
		var text strings.Builder
		w := stdcsv.NewWriter(&text)
		w.Write(header)
		w.WriteAll(rows)
		got, _, err := all(t, text.String(), csv.Options{})
		if err != nil {
			rt.Fatalf("%q: %v", text.String(), err)
		}
		var want []map[string]any
		for _, row := range rows {
			if n == 1 && row[0] == "" {
				continue // encoding/csv writes a blank line
			}
			m := map[string]any{}
			for i, cell := range row {
				m[header[i]] = cell
			}
			want = append(want, m)
		}
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("%q: got %v, want %v", text.String(), got, want)
		}
	})
}

// TestColumns: a row of commas must not become an object of a million keys.
func TestColumns(t *testing.T) {
	header := strings.Builder{}
	for i := range 10_001 {
		fmt.Fprintf(&header, "c%d,", i)
	}
	_, _, err := all(t, header.String()+"z\n", csv.Options{})
	if err == nil || !strings.Contains(err.Error(), "more than 10000 columns") {
		t.Errorf("many columns: %v", err)
	}
	r := csv.Open(strings.NewReader("a,b\n1,"+strings.Repeat(",", 1<<20)+"\"x\ny\"\n3,4\n"), csv.Options{})
	_, err = r.Next()
	var broken *format.Error
	if !errors.As(err, &broken) || !broken.Skip || broken.Line != 2 || !strings.Contains(broken.Text, "more than 10000 fields") {
		t.Errorf("many fields: %v", err)
	}
	if rec, err := r.Next(); err != nil || string(rec.Raw) != `{"a":"3","b":"4"}` {
		t.Errorf("the row behind it: %s %v", rec.Raw, err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n")
	f.Add("a,b\n\"x\"\"y\r\n\",2\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, _, err := all(t, text, csv.Options{})
		if err != nil {
			return
		}
		std, stdErr := stdcsv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
		if stdErr != nil {
			return // encoding/csv is stricter about a lone CR
		}
		if len(std) > 0 && len(rows) != len(std)-1 {
			t.Errorf("%d rows, encoding/csv sees %d", len(rows), len(std)-1)
		}
	})
}

func BenchmarkRows(b *testing.B) {
	text := "order,sku,qty,note\n" + strings.Repeat("SO-4711,ABC-0012345,10,\"two, boxes\"\n", 10_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := csv.Open(strings.NewReader(text), csv.Options{})
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
