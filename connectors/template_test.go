package connectors_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/connectors"
)

func plain(dst []byte, text string, _ connectors.Place) ([]byte, error) {
	return append(dst, text...), nil
}

func TestTemplate(t *testing.T) {
	with := map[string]any{"a": "x", "n": json.Number("1.10"), "b": true, "null": nil, "list": []any{}, "map": map[string]any{}, "f": 2.5, "i": 7, "whole": 3.0}
	for _, tt := range []struct{ text, want, err string }{
		{"", "", ""},
		{"plain", "plain", ""},
		{"{a}", "x", ""},
		{"/{a}/{n}/{b}/{f}/{i}/{whole}", "/x/1.10/true/2.5/7/3", ""},
		{"{{a}} {{{a}}}", "{a} {x}", ""},
		{"{missing}", "", "there is no value for {missing}"},
		{"{null}", "", "{null}"},
		{"{list}", "", "single value, not a list"},
		{"{map}", "", "single value, not an object"},
	} {
		tmpl, err := connectors.ParseTemplate(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got, ok, err := tmpl.Append([]byte(">"), with, plain)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v", tt.text, err)
			}
			continue
		}
		if err != nil || !ok || string(got) != ">"+tt.want || tmpl.String() != tt.text {
			t.Errorf("%s: %q %v", tt.text, got, err)
		}
	}
	for _, bad := range []string{"{", "}", "a}", "{a", "{}", "{ a }", "{1a}", "{a b}", "{a?b}", "{?}", "{a/b}"} {
		if _, err := connectors.ParseTemplate(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	tmpl, err := connectors.ParseTemplate("'{a}'{b?}/{c-d.e}")
	if err != nil {
		t.Fatal(err)
	}
	names, optional := tmpl.Placeholders()
	if !reflect.DeepEqual(names, []string{"a", "b", "c-d.e"}) || !reflect.DeepEqual(optional, []string{"b"}) {
		t.Errorf("names %v, optional %v", names, optional)
	}
	var places []connectors.Place
	_, _, err = tmpl.Append(nil, map[string]any{"a": "1", "b": "2", "c-d.e": "3"}, func(dst []byte, _ string, at connectors.Place) ([]byte, error) {
		places = append(places, at)
		return dst, nil
	})
	if want := []connectors.Place{{Name: "a", Quoted: true}, {Name: "b"}, {Name: "c-d.e"}}; err != nil || !reflect.DeepEqual(places, want) {
		t.Errorf("places %v (%v)", places, err)
	}
	out, ok, err := tmpl.Append([]byte("kept"), map[string]any{"a": "1"}, plain)
	if err != nil || ok || string(out) != "kept" {
		t.Errorf("an absent optional value: %q %t %v", out, ok, err)
	}
}

func TestStableID(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000)
	id := connectors.StableID(at, "a", "b")
	if len(id) != 26 || id != connectors.StableID(at, "a", "b") {
		t.Errorf("id %q", id)
	}
	for _, other := range []string{connectors.StableID(at, "ab", ""), connectors.StableID(at, "a"), connectors.StableID(at.Add(time.Millisecond), "a", "b")} {
		if other == id {
			t.Error("different parts give the same ID")
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 1<<45), 2, 20).Draw(rt, "times")
		slices.Sort(times)
		last := ""
		for i, ms := range slices.Compact(times) {
			id := connectors.StableID(time.UnixMilli(ms), "x")
			if i > 0 && id <= last {
				rt.Fatalf("%d does not sort behind the one before", ms)
			}
			last = id
		}
	})
}

func TestFaults(t *testing.T) {
	cause := json.Unmarshal([]byte("x"), new(int))
	for _, tt := range []struct {
		err   error
		class connectors.Class
		wait  time.Duration
	}{
		{cause, connectors.ClassAmbiguous, 0},
		{connectors.Permanent(cause), connectors.ClassPermanent, 0},
		{connectors.NotSent(cause), connectors.ClassNotSent, 0},
		{connectors.Ambiguous(cause), connectors.ClassAmbiguous, 0},
		{connectors.After(time.Second, cause), connectors.ClassAfter, time.Second},
	} {
		class, wait := connectors.ClassOf(tt.err)
		if class != tt.class || wait != tt.wait || tt.err.Error() != cause.Error() {
			t.Errorf("%v: class %d, wait %s", tt.err, class, wait)
		}
	}
}
