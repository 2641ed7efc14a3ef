package rule

import (
	"encoding/json"
	"errors"
	goruntime "runtime"
	"strings"
	"testing"
	"time"
)

// The sources that have brought rule engines down. Each must be refused when
// it is compiled, or end soon, with little memory and as an error of its own.
func TestHostileRules(t *testing.T) {
	big := strings.Repeat("a", 1<<20)
	var items []any
	for range 100_000 {
		items = append(items, json.Number("1"))
	}
	env := Env{Data: map[string]any{"big": big, "items": items, "x": "x", "fits": big[:maxText]}}
	doubling := "let a0 = data.x + data.x;"
	lists := "let b0 = [1, 1];"
	for i := 1; i < 40; i++ {
		doubling += " let a" + itoa(i) + " = a" + itoa(i-1) + " + a" + itoa(i-1) + ";"
		lists += " let b" + itoa(i) + " = [b" + itoa(i-1) + ", b" + itoa(i-1) + "];"
	}
	for _, c := range []struct{ name, src, want string }{
		{"nested brackets", strings.Repeat("[", 1_000_000), "refused"},
		{"nested parentheses", strings.Repeat("(", 4000) + "1" + strings.Repeat(")", 90), "refused"},
		{"ten million minus signs", strings.Repeat("-", 10_000_000) + "1", "refused"},
		{"four thousand minus signs", strings.Repeat("-", 4000) + "1 == 1", "refused"},
		{"four thousand nots", strings.Repeat("!", 4000) + "true", "refused"},
		{"a long chain of conditions", strings.Repeat("true ? true : ", 250) + "true", "refused"},
		{"too many parts", strings.Repeat("1 + ", 400) + "1 == 1", "refused"},
		{"a range of a billion", "len(1..1000000000000) > 1", "ends"},
		{"ranges in ranges", "any(1..100000, any(1..100000, # == -1))", "ends"},
		{"three predicates deep", "any(1..9, any(1..9, any(1..9, # == 1)))", "refused"},
		{"repeat", `repeat("x", 1000000000) == "x"`, "refused"},
		{"repeat of repeat", `repeat(repeat("a", 90000), 90000) == "x"`, "refused"},
		{"reduce", `reduce(1..30, #acc + #acc, data.big) == "x"`, "refused"},
		{"join", `join(map(1..9000, {data.big})) == "x"`, "refused"},
		{"toJSON", `toJSON(map(1..9000, {data.big})) == "x"`, "refused"},
		{"texts kept by map", `len(map(1..90000, {data.big + data.big})) > 1`, "refused"},
		{"upper kept by map", `len(map(1..90000, upper(data.big))) > 1`, "refused"},
		{"upper in a loop", `any(1..90000, upper(data.big) == "x")`, "ends"},
		{"upper of what just fits", `any(1..90000, upper(data.fits) == "x")`, "ends"},
		{"splitting what just fits", `any(1..90000, len(split(data.fits, "")) > 90000000)`, "ends"},
		{"searching a long text", `any(1..90000, data.big contains "ab")`, "ends"},
		{"a regular expression that explodes", `data.big matches "(a?){1000}$b"`, "refused"},
		{"a regular expression on a long text", `data.big matches "(a?){20}$b"`, "ends"},
		{"a regular expression from the data", `data.big matches data.big`, "refused"},
		{"replace", `replace(data.big, "a", data.big) == "x"`, "refused"},
		{"doubling texts", doubling + ` a39 == "x"`, "ends"},
		{"comparing shared lists", lists + " let c = b39; [b39] == [c]", "ends"},
		{"a shared list as text", lists + ` string(b39) == "x"`, "ends"},
		{"searching shared lists", lists + " [b39] in [[b39, 1]]", "any"},
		{"uniq", "len(uniq(data.items)) > 1", "refused"},
		{"sorting", "len(sort(data.items)) > 1", "refused"},
		{"items by items", "count(data.items, count(data.items, # == 1) > 1) > 1", "ends"},
		{"items in items", "all(data.items, # in data.items) and all(data.items, -1 in data.items)", "ends"},
		{"a filter of a filter", "len(filter(data.items, len(filter(data.items, # > 0)) > 1)) > 1", "ends"},
		{"splitting", `any(1..90000, len(split(data.big, "")) > 90000000)`, "ends"},
		{"the environment", `$env == nil`, "refused"},
		{"a function as a value", `blank == nil`, "refused"},
		{"an operator of our own", `$num(1) == 1`, "refused"},
		{"a method", `data.x.String() == "x"`, "refused"},
		{"no values", `len() == 1`, "refused"},
		{"the clock", `now() == now()`, "refused"},
		{"a local zone", `date("2026-01-01", "2006-01-02", "Local") == nil`, "refused"},
		{"bytes that are no text", "data.x == \"\xff\xfe\"", "any"},
		{"a zero byte", "data.x == \"\x00\" \x00", "any"},
		{"a power", "9 ** 9 ** 9 ** 9 > 1", "any"},
		{"a division by zero", "1 % 0 == 1", "any"},
		{"an integer too large", "data.x == 99999999999999999999999", "any"},
		{"shifting", "bitshl(1, 100000) == 1", "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			goruntime.GC()
			var before, after goruntime.MemStats
			goruntime.ReadMemStats(&before)
			start := time.Now()
			p, problems := Compile(c.src, everywhere())
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("compiling took %s", took)
			}
			if c.want == "refused" {
				if p != nil {
					t.Fatal("it was not refused")
				}
				return
			}
			if p == nil {
				if c.want != "any" {
					t.Fatalf("refused: %+v", problems)
				}
				return
			}
			start = time.Now()
			_, err := p.Eval(env)
			took := time.Since(start)
			goruntime.ReadMemStats(&after)
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("an error of another kind: %v", err)
			}
			// The bound is 250 ms; a busy machine and the race detector get more.
			if took > 5*time.Second {
				t.Errorf("running took %s", took)
			}
			if after.HeapAlloc > before.HeapAlloc+256<<20 {
				t.Errorf("%d MiB are held", (after.HeapAlloc-before.HeapAlloc)>>20)
			}
			t.Logf("%s, %d MiB allocated in all: %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
		})
	}
}

// Values that no sensible document has must not bring a rule down either.
func TestHostileValues(t *testing.T) {
	deep := any("x")
	for range 10_000 {
		deep = []any{deep}
	}
	for _, v := range []any{
		json.Number("1e400"), json.Number("1e999999999"), json.Number("-0"), json.Number(""), json.Number("abc"), json.Number("NaN"), json.Number(strings.Repeat("9", 100_000)),
		deep, "\xff\xfe", strings.Repeat("9", 1<<20), map[string]any{"": nil}, []any{}, nil, true, 1e308,
	} {
		env := Env{Data: map[string]any{"v": v, "w": v}}
		for _, src := range []string{
			`data.v == data.w`, `data.v < data.w`, `data.v > 1`, `data.v + data.w == 1`, `data.v in [1, "a"]`, `data.v in data.w`, `blank(data.v)`, `close_to(data.v, data.w, 1, 1)`,
			`len(data.v) > 1`, `any(data.v, # == 1)`, `data.v matches "a"`, `data.v contains "a"`, `int(data.v) == 1`, `float(data.v) == 1`, `string(data.v) == "a"`, `hours_between(data.v, data.w) > 1`,
			`within(data.v, "22:00-06:00")`, `data.v.x.y == 1`, `data.v[0] == 1`, `data.v[-1] == 1`, `in_lookup("codes", data.v)`, `data.v`, `not data.v`, `-data.v == 1`, `date(data.v) == nil`, `duration(data.v) == nil`,
			`max(data.v) == 1`, `sum(data.v) == 1`, `first(data.v) == 1`, `data.v[1:2] == "a"`, `keys(data.v) == nil`, `upper(data.v) == "A"`, `data.v ** 2 == 1`, `data.v % 2 == 1`, `data.v in 1..3`, `let x = data.v; x == x`,
			`take(data.v, 1) == nil`, `indexOf(data.v, "a") == 1`, `get(data.v, "x") == 1`, `data[data.v] == 1`, `round(data.v) == 1`, `mean(data.v) == 1`, `len(1..data.v) == 1`,
		} {
			p := compile(t, src)
			start := time.Now()
			_, err := p.Eval(env)
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%s: %v", src, err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s on %.20v took %s", src, v, took)
			}
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`data.status == "RELEASED" and any(data.items, .qty > 1)`, `data.reason in ["a", "b"] and (data.attempt ?? 1) < 3`, `let a = data.x; a[0:2] == "x"`,
		`within(data.at, "22:00-06:00", "UTC") or close_to(data.a, 1.5, 2, 3)`, `if data.a { true } else { data.b?.c ?? false }`, `data.größe | len() > 1`, `#.x`, `.a == 1`,
		`map(data.items, .a)[0] == 1`, `find(data.items, {.a in 1..3})?.b == nil`, `not blank(data[params.x])`, `data?.a?.[0] == 1`, `len()`, `sum()`, `date(data.a, "b", "c")`,
	} {
		f.Add(s)
	}
	var v any
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		f.Fatal(err)
	}
	scope := typedScope()
	f.Fuzz(func(t *testing.T, src string) {
		for _, s := range []Scope{scope, everywhere()} {
			p, problems := Compile(src, s)
			for _, problem := range problems {
				if problem.From < 0 || problem.To > len(src) || problem.From > problem.To || problem.Message == "" || problem.Message == "the rule cannot be checked" {
					t.Fatalf("%q: %+v", src, problem)
				}
			}
			if p == nil {
				if len(problems) == 0 {
					t.Fatalf("%q: no program and no problem", src)
				}
				continue
			}
			for _, path := range p.Paths() {
				if path.From < 0 || path.To > len(src) || path.From > path.To {
					t.Fatalf("%q: %+v", src, path)
				}
			}
			got, err := p.Eval(Env{Data: v})
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%q: %v", src, err)
			}
			careful, cerr := p.careful()
			if cerr != nil {
				t.Fatalf("%q: %v", src, cerr)
			}
			if again, aerr := careful.Eval(Env{Data: v}); again != got || (aerr == nil) != (err == nil) {
				t.Fatalf("%q: %v %v, carefully %v %v", src, got, err, again, aerr)
			}
		}
	})
}
