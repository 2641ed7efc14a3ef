package value

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
)

func TestShapeAt(t *testing.T) {
	tree := &Shape{Type: Type{Base: Object}, Order: []string{"sub", "name"}, Fields: map[string]*Shape{"name": {Type: Type{Base: String}, Required: true}}}
	tree.Fields["sub"] = &Shape{Type: Type{Base: List}, PII: true, Item: tree} // a tree of trees
	for _, c := range []struct {
		path     []string
		ok       bool
		bad      int
		optional bool
		pii      bool
		known    bool
	}{
		{nil, true, -1, false, false, true},
		{[]string{"name"}, true, -1, false, false, true},
		{[]string{"sub", Items, "sub", Items, "name"}, true, -1, true, true, true},
		{[]string{"sub", "name"}, false, 1, true, true, true},
		{[]string{"name", "x"}, false, 1, false, false, true},
		{[]string{"nosuch"}, false, 0, false, false, true},
	} {
		step, bad, ok := tree.At(c.path)
		if ok != c.ok || bad != c.bad || step.Optional != c.optional || step.PII != c.pii || step.Shape.Known() != c.known {
			t.Errorf("%v: %+v %d %v", c.path, step, bad, ok)
		}
	}
	var none *Shape
	if step, _, ok := none.At([]string{"a", Items}); !ok || step.Shape != nil || !step.Optional {
		t.Errorf("nothing known: %+v", step)
	}
	if none.Names() != nil || none.Known() {
		t.Error("a shape of nothing knows something")
	}
	free := &Shape{Type: Type{Base: Object}}
	if step, _, ok := free.At([]string{"a", "b"}); !ok || step.Shape != nil {
		t.Errorf("an object of anything: %+v", step)
	}
	free.Closed = true
	if _, _, ok := free.At([]string{"a"}); ok {
		t.Error("a closed object has a field")
	}
}

func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		v              any
		kind, describe string
	}{
		{nil, "null", "null"}, {true, "boolean", "true"}, {"a", "text", `the text "a"`}, {json.Number("1.10"), "number", "the number 1.10"}, {3, "number", "the number 3"}, {int64(4), "number", "the number 4"},
		{2.5, "number", "the number 2.5"}, {big.NewInt(9), "number", "the number 9"}, {[]any{}, "list", "a list"}, {map[string]any{}, "object", "an object"}, {struct{}{}, "something unknown", "something unknown"},
		{"ääääääääääääääääääääääääääääääääääääääääää", "text", `the text "ääääääääääääääääääääääääääää..."`},
	} {
		if Kind(c.v) != c.kind || Describe(c.v) != c.describe {
			t.Errorf("%v: %s, %s", c.v, Kind(c.v), Describe(c.v))
		}
	}
}

func TestDecimalFloat64(t *testing.T) {
	for s, want := range map[string]float64{"1.1": 1.1, "-0.5": -0.5, "7": 7, "1e400": math.Inf(1), "-1e400": math.Inf(-1), "0.00": 0} {
		if got := dec(t, s).Float64(); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestFarMoments(t *testing.T) {
	for s, want := range map[string]string{"-11644473600": "1601-01-01T00:00:00Z", "253402300799": "9999-12-31T23:59:59Z", "-62135596800": "0001-01-01T00:00:00Z"} {
		if got, err := Convert(s, Type{Base: DateTime}, Options{Parse: "epoch"}); err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"253402300800", "-62135596801", "1e300", "99999999999999999999999", "-62135596800.5"} {
		if got, err := Convert(s, Type{Base: DateTime}, Options{Parse: "epoch"}); err == nil {
			t.Errorf("%s: %v", s, got)
		}
	}
}
