package rule

import (
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

// Where nothing is missing and numbers are small, a rule must answer as expr
// itself does: what is rewritten for exactness changes nothing there.
func TestAgreesWithExpr(t *testing.T) {
	const doc = `{"a": 1, "b": 2.5, "c": 3, "s": "x", "t": "xyz", "u": "", "yes": true, "no": false, "list": [1, 2, 3], "words": ["x", "y"],
		"items": [{"n": 1, "s": "x", "ok": true}, {"n": 4, "s": "y", "ok": false}], "o": {"p": {"q": 7}}, "none": null}`
	exact := decode(t, doc)
	native := map[string]any{"data": nativeTree(exact)}
	env := Env{Data: exact}
	rapid.Check(t, func(t *rapid.T) {
		src := condition(t, 3, "data.")
		p, problems := Compile(src, everywhere())
		program, err := expr.Compile(src)
		if p == nil {
			if err == nil {
				t.Fatalf("%s: %+v", src, problems)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s: expr says %v", src, err)
		}
		want, wantErr := expr.Run(program, native)
		got, gotErr := p.Eval(env)
		if (wantErr == nil) != (gotErr == nil) || wantErr == nil && got != want {
			t.Fatalf("%s: %v (%v), expr %v (%v)", src, got, gotErr, want, wantErr)
		}
	})
}

func nativeTree(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[k] = nativeTree(x)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = nativeTree(x)
		}
		return out
	}
	return native(v)
}

// condition, number and text write random rules; at is "data." or, inside a
// predicate, ".".
func condition(t *rapid.T, depth int, at string) string {
	if depth == 0 {
		if at == "." {
			return rapid.SampledFrom([]string{".ok", "not .ok", ".ok == true", ".n > 2", `.s == "x"`}).Draw(t, "leaf")
		}
		return rapid.SampledFrom([]string{"data.yes", "data.no", "true", "data.none == nil", "data.a == 1", `data.s in ["x", "y"]`}).Draw(t, "leaf")
	}
	sub := func() string { return condition(t, depth-1, at) }
	switch rapid.IntRange(0, 13).Draw(t, "kind") {
	case 0:
		return "(" + sub() + " and " + sub() + ")"
	case 1:
		return "(" + sub() + " or " + sub() + ")"
	case 2:
		return "not (" + sub() + ")"
	case 3:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 4, 5:
		op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
		return number(t, depth-1, at) + " " + op + " " + number(t, depth-1, at)
	case 6:
		op := rapid.SampledFrom([]string{"==", "!=", "<", ">", "contains", "startsWith", "endsWith"}).Draw(t, "op")
		return text(t, depth-1, at) + " " + op + " " + text(t, depth-1, at)
	case 7:
		return text(t, depth-1, at) + rapid.SampledFrom([]string{" in ", " not in "}).Draw(t, "in") + rapid.SampledFrom([]string{`["x", "z"]`, `["x", 1]`, "data.words", "data.list", `[data.s, data.t]`}).Draw(t, "set")
	case 8:
		return number(t, depth-1, at) + " in " + rapid.SampledFrom([]string{"[1, 2, 7]", "data.list", "data.words", `["x", 3]`}).Draw(t, "set")
	case 9:
		return text(t, depth-1, at) + " matches " + rapid.SampledFrom([]string{`"^x"`, `"y"`, `"z$"`}).Draw(t, "regexp")
	case 10, 11:
		if at == "." {
			return sub()
		}
		f := rapid.SampledFrom([]string{"any", "all", "none", "one"}).Draw(t, "function")
		return f + "(data.items, " + condition(t, depth-1, ".") + ")"
	case 12:
		return "((" + rapid.SampledFrom([]string{"data.none", "data.yes", "data.no"}).Draw(t, "x") + " ?? data.yes) and " + sub() + ")"
	}
	return "let v = " + number(t, depth-1, at) + "; v > 1 and " + sub()
}

func number(t *rapid.T, depth int, at string) string {
	if depth <= 0 {
		leaves := []string{"data.a", "data.b", "data.c", "1", "2.5", "7", "data.o.p.q", "data.list[1]", `data["a"]`, "len(data.items)", "len(data.t)", "data.o?.p?.q", "data.items[0].n", "data.list[-1]"}
		if at == "." {
			leaves = []string{".n", "1", "2", "data.a", ".n"}
		}
		return rapid.SampledFrom(leaves).Draw(t, "number")
	}
	switch rapid.IntRange(0, 8).Draw(t, "number kind") {
	case 0:
		return "(" + number(t, depth-1, at) + rapid.SampledFrom([]string{" + ", " - ", " * "}).Draw(t, "op") + number(t, depth-1, at) + ")"
	case 1:
		return "(-" + number(t, depth-1, at) + ")"
	case 2:
		return "(data.none ?? " + number(t, depth-1, at) + ")"
	case 3:
		if at == "." {
			return number(t, depth-1, at)
		}
		return rapid.SampledFrom([]string{"sum(data.items, .n)", "count(data.items, .ok)", "sum(data.list)", "max(data.list)", "min(data.a, data.b)", "first(data.list)", "last(data.items).n",
			"find(data.items, .n > 1).n", "len(filter(data.items, .n > 1))", "len(map(data.items, .s))", "abs(data.a - data.c)", "mean(data.list)", "round(data.b)", "findIndex(data.items, .n == 4)"}).Draw(t, "call")
	case 4:
		return "(" + condition(t, depth-1, at) + " ? " + number(t, depth-1, at) + " : " + number(t, depth-1, at) + ")"
	}
	return number(t, 0, at)
}

func text(t *rapid.T, depth int, at string) string {
	leaves := []string{"data.s", "data.t", "data.u", `"x"`, `"yz"`, `""`, "data.words[0]", "upper(data.s)", "data.t[0:2]", "(data.none ?? data.t)", "(data.s + data.t)", `trim(" x ")`}
	if at == "." {
		leaves = []string{".s", `"x"`, "data.s", ".s"}
	}
	return rapid.SampledFrom(leaves).Draw(t, "text")
}
