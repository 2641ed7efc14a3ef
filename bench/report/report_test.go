package report

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWriteInto(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("# Title\n"+begin+end+"\nrest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	s := r.Section("Speed", "How fast.", "what", "value")
	s.Row("ours", "2")
	s.Note("%d runs", 3)
	for range 2 { // writing twice changes nothing more
		if err := r.WriteInto(path, "A machine."); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const speed = "### Speed\n\nHow fast.\n\n| what | value |\n|---|---|\n| ours | 2 |\n\n- 3 runs\n\n"
	want := "# Title\n" + begin + speed + "A machine.\n\n" + end + "\nrest\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// What was not measured stays, with what is said about it.
	if err := os.WriteFile(path, []byte("x\n"+begin+"Then.\n\n### Size\n\n7\n\n### Speed\n\nold\n\n### Age\n\n9\n\n"+end), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteInto(path, "Now."); err != nil {
		t.Fatal(err)
	}
	if got, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if want := "x\n" + begin + "Then.\n\n### Size\n\n7\n\n" + speed + "Now.\n\n### Age\n\n9\n\n" + end; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := os.WriteFile(path, []byte("no markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.WriteInto(path, "") == nil {
		t.Error("a document without markers was written to")
	}
}

func TestFigures(t *testing.T) {
	if got := Median([]int{5, 1, 9}); got != 5 {
		t.Errorf("median of three: %d", got)
	}
	if got := Median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("median of four: %v", got)
	}
	var v []time.Duration
	for i := range 100 {
		v = append(v, time.Duration(99-i))
	}
	if got := Quantile(v, 0.99); got != 99 {
		t.Errorf("99th percentile: %d", got)
	}
	for n, want := range map[float64]string{7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%v) = %s", n, got)
		}
	}
}
