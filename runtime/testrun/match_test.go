package testrun

import (
	"strings"
	"testing"
)

// TestWordsOfPaths holds what is said where the path of a test leads nowhere.
func TestWordsOfPaths(t *testing.T) {
	doc := map[string]any{"orderNo": "SO-1", "lines": []any{map[string]any{"sku": "A"}, map[string]any{"sku": "B"}}}
	for path, want := range map[string]string{
		"lines.sku":    "a list of 2 stands there: name the item, as in `[0].sku`",
		"lines[*].sku": "a list of 2 stands there: name the item, as in `[0]`",
		"orderNo.x":    "`x` cannot be set in",
	} {
		if _, err := Change(doc, path, "X"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, c := range []struct {
		expect any
		want   string
	}{
		{map[string]any{"lines": map[string]any{"sku": "A"}}, "it is a list: name the item, as in [0].sku"},
		{map[string]any{"lines[].sku": "A"}, "name the item: lines[0].sku"},
		{map[string]any{"reference": "SO-1"}, "there are: lines, orderNo"},
	} {
		got := subset("", c.expect, doc)
		if len(got) != 1 || !strings.Contains(got[0].text, c.want) {
			t.Errorf("%v: %v", c.expect, got)
		}
	}
	for path, want := range map[string]string{"orderNumber": "orderNo", "lines[1].skv": "sku", "orderNo": "", "gift": "", "lines[7].sku": ""} {
		if got := meantBy(doc, path); got != want {
			t.Errorf("%s: meant %q, want %q", path, got, want)
		}
	}
}
