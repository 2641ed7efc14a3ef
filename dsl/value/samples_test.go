package value

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every date and time in real documents is read right, or refused with what to
// type.
func TestDatesOfRealDocuments(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "samples")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the folder of real documents is not here: " + root)
	}
	dateLike := regexp.MustCompile(`^(\d{4}-\d\d-\d\d([T ].*)?|\d{8}|\d{14}|\d\d[./]\d\d[./]\d{4}.*|/Date\(.*)$`)
	read, refused := 0, map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var v any
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		if dec.Decode(&v) != nil {
			return nil // some samples show broken documents
		}
		eachText(v, func(s string) {
			if !dateLike.MatchString(s) {
				return
			}
			for _, base := range []Base{DateTime, Date} {
				out, err := Convert(s, Type{Base: base}, Options{Zone: "UTC"})
				if err == nil {
					read++
					if again, err := Convert(out, Type{Base: base}, Options{}); err != nil || again != out {
						t.Errorf("%s: %q became %v and then %v (%v)", path, s, out, again, err)
					}
					return
				}
				var e *Error
				if base == Date && (!errors.As(err, &e) || e.Hint == "" && !strings.Contains(e.Message, "there is no such")) {
					refused[s+": "+err.Error()]++
				}
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d dates read", read)
	for text, n := range refused {
		t.Errorf("no hint for %s (%d times)", text, n)
	}
}

func eachText(v any, f func(string)) {
	switch t := v.(type) {
	case string:
		f(t)
	case []any:
		for _, x := range t {
			eachText(x, f)
		}
	case map[string]any:
		for _, x := range t {
			eachText(x, f)
		}
	}
}
