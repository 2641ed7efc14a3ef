package lookup_test

import (
	"errors"
	"fmt"
	"testing"

	"crossdock/dsl/lookup"
)

func TestFind(t *testing.T) {
	plain := func(m lookup.OnMiss, fold bool) *lookup.Table {
		tab := lookup.New("t", m, "none", fold)
		tab.Add("01", "GROUND")
		tab.Add("Ab", "MIXED")
		return tab
	}
	wide := lookup.New("w", lookup.Default, map[string]any{"type": "other"}, false)
	wide.Add("1", map[string]any{"type": "a", "reason": "r"})
	wide.Add("2", map[string]any{"type": "b"})
	for _, c := range []struct {
		name         string
		table        *lookup.Table
		code, column string
		want         any
		miss         bool
	}{
		{"known", plain(lookup.Fail, false), "01", "", "GROUND", false},
		{"blanks around", plain(lookup.Fail, false), "\t01 ", "", "GROUND", false},
		{"zeros count", plain(lookup.Fail, false), "1", "", nil, true},
		{"case counts", plain(lookup.Fail, false), "AB", "", nil, true},
		{"case ignored", plain(lookup.Fail, true), "aB", "", "MIXED", false},
		{"empty", plain(lookup.Fail, false), "", "", nil, true},
		{"passed on", plain(lookup.Pass, false), " zz", "", " zz", false},
		{"default", plain(lookup.Default, false), "zz", "", "none", false},
		{"column", wide, "1", "reason", "r", false},
		{"column that the row lacks", wide, "2", "reason", nil, false},
		{"column of the default", wide, "9", "type", "other", false},
		{"column that the default lacks", wide, "9", "reason", nil, false},
	} {
		got, err := c.table.Find(c.code, c.column)
		var miss *lookup.Miss
		if got != c.want || errors.As(err, &miss) != c.miss {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
	}
	_, err := plain(lookup.Fail, false).Find("0l", "")
	if want := "`0l` is not in the lookup t (nearest: 01)"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if got := fmt.Sprint(wide.Values("type"), wide.Values("reason"), wide.Columns, wide.Codes()); got != "[a b other] [r] [reason type] [1 2]" {
		t.Error(got)
	}
	if tab := plain(lookup.Fail, true); tab.Add(" aB", 1) || !tab.Has("AB ") || tab.Has("x") {
		t.Error("the same code was added twice, or not found")
	}
}
