package jq

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	tests := []struct{ src, in, want string }{
		{`.a`, `{"a": 1.10}`, `1.10`},
		{`.id`, `{"id": 12345678901234567890123}`, `12345678901234567890123`},
		{`[.[] | -.]`, `[1.10, -0, 12345678901234567890]`, `[-1.10,0,-12345678901234567890]`},
		{`.a + 0`, `{"a": 1.10}`, `1.1`},
		{`.a == 1.1`, `{"a": 1.10}`, `true`},
		{`{a, b: .c}`, `{"a": 1, "c": [2]}`, `{"a":1,"b":[2]}`},
		{`.missing.deeper`, `{}`, `null`},
		{`first(.partners[]? | select(.role == "SH")).name`, `{"partners": [{"role": "AG"}, {"role": "SH", "name": "x"}]}`, `"x"`},
		{`"\(.orderNo)-\(.n + 1)"`, `{"orderNo": "SO-1", "n": 1}`, `"SO-1-2"`},
		{`.ref | ltrimstr("MBX-")`, `{"ref": "MBX-77"}`, `"77"`},
		{`.a.b |= . + 1`, `{"a": {"b": 2}}`, `{"a":{"b":3}}`},
		{`del(.a)`, `{"a": 1, "b": 2}`, `{"b":2}`},
		{`.SHIP_PHONE | digits`, `{"SHIP_PHONE": "(555) 010-9"}`, `"5550109"`},
		{`[.lines[] | exact_mul(.qty; .price)] | exact_sum | exact_round(2)`, `{"lines": [{"qty": 3, "price": 1.10}, {"qty": "2", "price": 0.105}]}`, `3.51`},
	}
	f := &Frame{}
	for _, tt := range tests {
		v, ok, err := mustCompile(t, tt.src, testOptions()).One(f, decode(t, tt.in))
		if err != nil || !ok {
			t.Errorf("%s on %s: %v, %v", tt.src, tt.in, ok, err)
			continue
		}
		if got := encode(t, v); got != tt.want {
			t.Errorf("%s on %s gives %s, want %s", tt.src, tt.in, got, tt.want)
		}
	}
}

func TestOne(t *testing.T) {
	tests := []struct {
		src     string
		ok      bool
		message string
	}{
		{`empty`, false, ""},
		{`.[]?`, false, ""},
		{`1, 2`, false, "gives several values, the first two are 1 and 2"},
		{`try (1, 2) catch 3`, false, "gives several values, the first two are 1 and 2"},
		{`error("why")`, false, "error: why"},
		{`.a.b`, false, ""},
		{`[.] | .[0]`, true, ""},
	}
	for _, tt := range tests {
		_, ok, err := mustCompile(t, tt.src, Options{}).One(&Frame{}, nil)
		switch {
		case err == nil && tt.message != "", err != nil && err.Error() != tt.message:
			t.Errorf("%s: error %v, want %q", tt.src, err, tt.message)
		case tt.ok && !ok:
			t.Errorf("%s gives nothing", tt.src)
		}
	}
	var several *SeveralError
	_, _, err := mustCompile(t, `1, 2`, Options{}).One(&Frame{}, nil)
	if !errors.As(err, &several) || !strings.Contains(several.Hint(), "first(") {
		t.Errorf("several values: %#v", err)
	}
	var run *RunError
	_, _, err = mustCompile(t, `error({code: 7})`, Options{}).One(&Frame{}, nil)
	if !errors.As(err, &run) || encode(t, run.Value) != `{"code":7}` {
		t.Errorf("value of an error: %#v", err)
	}
}

func TestVariables(t *testing.T) {
	opt := testOptions("root", "index", "meta")
	p := mustCompile(t, `$root.no + ($index | tostring) + (if $meta == null then "" else "!" end)`, opt)
	f := &Frame{Vars: []any{map[string]any{"no": "A"}, 3, nil}}
	if v, _, err := p.One(f, nil); err != nil || v != "A3" {
		t.Error(v, err)
	}
	f.Vars[1] = json.Number("4.0")
	if v, _, err := p.One(f, nil); err != nil || v != "A4.0" {
		t.Error(v, err)
	}
	if _, _, err := p.One(&Frame{}, nil); err == nil {
		t.Error("missing variables must be an error")
	}
	bridged := mustCompile(t, `.x = $root.no | .y[0:] |= [$index] | .y |= .[0]`, opt)
	if bridged.Compiled() {
		t.Error("assignments to slices run in the interpreter")
	}
	if v, _, err := bridged.One(f, nil); err != nil || encode(t, v) != `{"x":"A","y":4.0}` {
		t.Error(v, err)
	}
}

// TestLimits checks that each limit is its own error, with closures and in the
// interpreter, and that no try of a cell hides it.
func TestLimits(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		src   string
		frame Frame
		want  error
	}{
		{`last(range(1e12))`, Frame{Time: 20 * time.Millisecond}, ErrTime},
		{`try last(range(1e12)) catch 1`, Frame{Time: 20 * time.Millisecond}, ErrTime},
		{`[range(1e12)]`, Frame{Bytes: 1 << 20}, ErrMemory},
		{`[range(1e12)]? // 1`, Frame{Bytes: 1 << 20}, ErrMemory},
		{`range(100)`, Frame{Outputs: 10}, ErrOutputs},
		{`try range(100) catch 1`, Frame{Outputs: 10}, ErrOutputs},
		{`last(range(1e12))`, Frame{Ctx: done}, context.Canceled},
		{`. as [$a] ?// $a | last(range(1e12))`, Frame{Time: 20 * time.Millisecond}, ErrTime},
		{`. as [$a] ?// $a | try last(range(1e12)) catch 1`, Frame{Time: 20 * time.Millisecond}, ErrTime},
		{`. as [$a] ?// $a | last(range(1e12))`, Frame{Ctx: done}, context.Canceled},
		{`. as [$a] ?// $a | range(100)`, Frame{Outputs: 10}, ErrOutputs},
		{`. as [$a] ?// $a | "x" | . * 5000 | reduce range(40) as $i (.; . + .)`, Frame{Bytes: 1 << 20}, ErrMemory},
	}
	for _, tt := range tests {
		p := mustCompile(t, tt.src, Options{})
		_, err := p.Run(&tt.frame, nil)
		var limit *LimitError
		if !errors.Is(err, tt.want) || !errors.As(err, &limit) {
			t.Errorf("%s: %v, want %v", tt.src, err, tt.want)
			continue
		}
		// The frame is as good as new.
		if v, _, err := mustCompile(t, `1 + 1`, Options{}).One(&Frame{}, nil); err != nil || v != 2 {
			t.Errorf("after %s: %v %v", tt.src, v, err)
		}
	}
}

// TestConcurrent runs one program in many goroutines on one input.
func TestConcurrent(t *testing.T) {
	for _, src := range []string{
		`[.l[] | select(.x > 1) | {x, y: (.x | tostring)}] | sort_by(.y)`,
		`.l |= map(.x) | .l`,
		`def f($a): [.[] | . + $a]; [.l[].x] | f(1)`,
		`[.l[].n | gsub("(?<a>[a-z])"; "<\(.a)>")]`,
		`[.l[].n | test("^[ab]")]`,
	} {
		p := mustCompile(t, src, Options{})
		in := decode(t, `{"l": [{"x": 1.5, "n": "a1"}, {"x": 3, "n": "b"}, {"x": 2, "n": ""}]}`)
		v, _, err := p.One(&Frame{}, in)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		want := encode(t, v)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				f := &Frame{}
				for range 50 {
					v, _, err := p.One(f, in)
					if err != nil {
						t.Errorf("%s: %v", src, err)
						return
					}
					if got := encode(t, v); got != want {
						t.Errorf("%s gives %s, then %s", src, want, got)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestCompiled pins what runs as closures, so that a change that sends cells
// back to the interpreter is seen.
func TestCompiled(t *testing.T) {
	yes := []string{
		`.a.b[0]?.c[1:3]`, `.a // "x"`, `[.[] | {a, "b c": .d}]`, `"\(.a)"`, `@csv "\([.a])"`, `if .a then 1 elif .b then 2 end`,
		`.a as [$x, {b: $y}] | $x`, `reduce .[] as $x (0; . + $x)`, `foreach .[] as $x (0; . + $x; [.])`, `try error("x") catch .`,
		`label $f | .[] | if . then ., break $f else . end`, `def f(g; $n): g + $n; f(.a; 1)`, `[limit(3; .[])]`, `[range(0; 10; 2)]`,
		`first(.[]?)`, `any(.[]; . > 1)`, `map_values(. + 1)`, `with_entries(.value += 0)?`, `to_entries | from_entries`, `walk(.)`,
		`sort_by(.a, .b) | group_by(.a) | map(length)`, `test("a"; "i")`, `gsub("\\s+"; " ")`, `[scan("[0-9]+")]`, `split(", *"; null)`,
		`convert("lb"; "kg")`, `.a | lookup("service-levels")`, `[..]`, `[recurse(.c[]?)]`, `..|strings`, `tojson | fromjson`, `getpath(["a", 0])`,
		`[.[] | (.a, .b)] | add / length`, `.a[.i]`, `ascii_downcase | ltrimstr("x") | explode | implode`, `@base64 | @base64d`, `IN(1, 2)?`, `.a.b = 1 | .c |= . + 1 | del(.d, .e.f)`, `.d | strptime("%Y") | mktime | todate`, `.[0] = 1`, `[paths]`, `INDEX(.a[]; .b)`,
	}
	no := map[string]bool{`.[0] = 1`: true, `[paths]`: true}
	for _, src := range yes {
		if p := mustCompile(t, src, testOptions()); p.Compiled() == no[src] {
			t.Errorf("%s: compiled %v", src, p.Compiled())
		}
	}
}

func TestUses(t *testing.T) {
	src := `(.weight * 2 // 0) as $w | [.code | tonumber, lookup("service-levels"), test("^a")] | .[0] + first | strftime("%Y") | . == "DE"`
	p := mustCompile(t, src, testOptions())
	var got []string
	for _, u := range p.Uses() {
		if u.Kind != UseText && u.Kind != UseRegex && u.Kind != UseLookup && u.Kind != UseTimeFormat && src[u.From:u.To] != u.Text {
			t.Errorf("%q stands at %q", u.Text, src[u.From:u.To])
		}
		got = append(got, string(rune('0'+u.Kind))+u.Text)
	}
	want := `1* 0// 2tonumber 6service-levels 4^a 3.[0] 1+ 3first 5%Y 7DE`
	if g := strings.Join(got, " "); g != want {
		t.Errorf("uses\n %s, want\n %s", g, want)
	}
}

// TestPanicsBecomeErrors hands in a value that no body holds.
func TestPanicsBecomeErrors(t *testing.T) {
	for _, src := range []string{`type`, `.a | tostring`, `.a | tojson`, `[.a] | sort`, `. as [$a] ?// $a | .a | type`, `.a.b`, `.a[]`} {
		_, _, err := mustCompile(t, src, Options{}).One(&Frame{}, map[string]any{"a": int64(1), "b": []string{"x"}})
		if src != `type` && src != `[.a] | sort` && err == nil {
			t.Errorf("%s takes a value that is no JSON", src)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`.a-b`, `"\("x")"`, `{a:1,}`, `def f: .; f`, `. as {a: $x, "b": [$y]} ?// $x | $x`, `.a.[0].["x"]?.b[1:]`, "# c \\\n .a", `@csv "\(.)"`, `-(-1)`, `if . then 1 else 2 end | reduce .[] as $x (0; .)`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, problems := Compile(src, testOptions("root"))
		for _, pr := range problems {
			if pr.From < 0 || pr.To > len(src) || pr.From > pr.To || pr.Message == "" {
				t.Fatalf("%q: problem at %d..%d of %d: %s", src, pr.From, pr.To, len(src), pr.Message)
			}
		}
		if p == nil {
			if len(problems) == 0 {
				t.Fatalf("%q is refused without a reason", src)
			}
			return
		}
		if p.known().places.lost {
			t.Fatalf("%q parses and its places are lost", src)
		}
		for _, path := range p.Paths() {
			for _, s := range path.Segments {
				if s.From < 0 || s.To > len(src) || s.From > s.To {
					t.Fatalf("%q: segment at %d..%d", src, s.From, s.To)
				}
			}
		}
		p.Uses()
	})
}
