package ndjson_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"crossdock/connectors/format"
	"crossdock/connectors/format/ndjson"
)

func TestLines(t *testing.T) {
	long := `"` + strings.Repeat("x", 300_000) + `"`
	tests := []struct {
		name, text string
		max        int
		want       []string
		lines      []int
		skipped    []int
	}{
		{"plain", "{\"a\":1}\n[2]\n", 0, []string{`{"a":1}`, `[2]`}, []int{1, 2}, nil},
		{"no newline at the end", "1\n2", 0, []string{"1", "2"}, []int{1, 2}, nil},
		{"blank, crlf, bom", "\ufeff{}\r\n\r\n \n3\r\n", 0, []string{"{}", "3"}, []int{1, 4}, nil},
		{"longer than the buffer", "1\n" + long + "\n3\n", 0, []string{"1", long, "3"}, []int{1, 2, 3}, nil},
		{"too long", "1\n" + long + "\n3\n", 1000, []string{"1", "3"}, []int{1, 3}, []int{2}},
		{"too long at the end", "1\n" + long, 1000, []string{"1"}, []int{1}, []int{2}},
		{"not utf-8", "1\n\"\xe9\"\n3\n", 0, []string{"1", "3"}, []int{1, 3}, []int{2}},
		{"raw is kept as it is", "{ \"a\" : 1.10 }\n", 0, []string{`{ "a" : 1.10 }`}, []int{1}, nil},
		{"empty", "", 0, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ndjson.Open(strings.NewReader(tt.text), ndjson.Options{MaxLine: tt.max})
			var got []format.Record
			var skipped []int
			for {
				rec, err := r.Next()
				if err == io.EOF {
					break
				}
				var e *format.Error
				if errors.As(err, &e) && e.Skip {
					skipped = append(skipped, e.Line)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, rec)
			}
			if len(got) != len(tt.want) || len(skipped) != len(tt.skipped) {
				t.Fatalf("%d records and %d skipped, want %d and %d", len(got), len(skipped), len(tt.want), len(tt.skipped))
			}
			for i := range got {
				if string(got[i].Raw) != tt.want[i] || got[i].Line != tt.lines[i] {
					t.Errorf("record %d is %.40s on line %d", i, got[i].Raw, got[i].Line)
				}
			}
			for i := range skipped {
				if skipped[i] != tt.skipped[i] {
					t.Errorf("skipped line %d", skipped[i])
				}
			}
		})
	}
}

// TestRecordsStay: a record is not overwritten by the ones behind it.
func TestRecordsStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOfN(rapid.StringMatching(`[0-9a-f]{1,400}`), 1, 300).Draw(rt, "lines")
		r := ndjson.Open(strings.NewReader(strings.Join(want, "\n")), ndjson.Options{})
		var got [][]byte
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, append(rec.Raw, '!')[:len(rec.Raw)]) // growing one must not touch the next
		}
		if len(got) != len(want) {
			rt.Fatalf("%d of %d", len(got), len(want))
		}
		for i := range got {
			if string(got[i]) != want[i] {
				rt.Fatalf("record %d is %s", i, got[i])
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	text := bytes.Repeat([]byte(`{"pad":"`+strings.Repeat("x", 1500)+"\"}\n"), 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := ndjson.Open(bytes.NewReader(text), ndjson.Options{})
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}

// FuzzLines: whatever a file holds, every line is either handed on, blank, or
// an error of its own, and none is longer than allowed.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{}\n[1]\r\n\n\xff\n"), 4)
	f.Add([]byte("\ufeff"+strings.Repeat("x", 300)+"\n1"), 100)
	f.Fuzz(func(t *testing.T, text []byte, most int) {
		most = max(most, 1)
		r := ndjson.Open(bytes.NewReader(text), ndjson.Options{MaxLine: most})
		for last := 0; ; {
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			var broken *format.Error
			line := rec.Line
			if errors.As(err, &broken) {
				line = broken.Line
			} else if err != nil {
				t.Fatal(err)
			}
			if line <= last || len(rec.Raw) > most+1 {
				t.Fatalf("line %d behind line %d has %d bytes, %d are allowed", line, last, len(rec.Raw), most)
			}
			last = line
		}
	})
}
