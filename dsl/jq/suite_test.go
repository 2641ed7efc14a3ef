package jq

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
)

// TestPublishedSuite runs test files of jq itself, in its own format, when
// CROSSDOCK_JQ_TESTS names them (separated by the list separator of paths).
// What the interpreter passes must pass here too, or be refused with a reason.
func TestPublishedSuite(t *testing.T) {
	files := os.Getenv("CROSSDOCK_JQ_TESTS")
	if files == "" {
		t.Skip("set CROSSDOCK_JQ_TESTS to the test files of jq to run them")
	}
	for _, file := range filepath.SplitList(files) {
		t.Run(filepath.Base(file), func(t *testing.T) { runSuite(t, file) })
	}
}

type suiteCase struct {
	line        int
	src, in     string
	want        []string
	mustNotWork bool
}

func readSuite(t *testing.T, file string) (cases []suiteCase) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var block []string
	start := 0
	flush := func() {
		switch {
		case len(block) == 0:
		case strings.HasPrefix(block[0], "%%FAIL"):
			if len(block) > 1 {
				cases = append(cases, suiteCase{line: start, src: block[1], mustNotWork: true})
			}
		case len(block) >= 2:
			cases = append(cases, suiteCase{line: start, src: block[0], in: block[1], want: block[2:]})
		}
		block = nil
	}
	for i, line := range strings.Split(string(b), "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") && (len(block) == 0 || !strings.HasPrefix(block[0], "%%FAIL")) {
			if trimmed == "" {
				flush()
			}
			continue
		}
		if len(block) == 0 {
			start = i + 1
		}
		block = append(block, line)
	}
	flush()
	return cases
}

func runSuite(t *testing.T, file string) {
	var total, theirs, passed, compiled, refusedOnly, unsafeOnly int
	for _, c := range readSuite(t, file) {
		if c.mustNotWork {
			if p, _ := Compile(c.src, Options{Unsafe: true}); p != nil {
				if _, err := gojq.Parse(c.src); err != nil {
					t.Errorf("line %d: %s compiles and must not", c.line, c.src)
				}
			}
			continue
		}
		in, err := decodeAny(c.in)
		if err != nil {
			continue
		}
		want := make([]string, 0, len(c.want))
		for _, w := range c.want {
			v, err := decodeAny(w)
			if err != nil {
				t.Logf("line %d: cannot read %q", c.line, w)
			}
			want = append(want, canonical(t, v))
		}
		total++
		o := oracle(c.src, in, nil, nil, false)
		theyPass := o.err == "" && !o.limit && slices.Equal(reencode(t, o.values), want)
		if theyPass {
			theirs++
		}
		p, problems := Compile(c.src, Options{})
		if p == nil {
			if slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind == Refused }) {
				refusedOnly++
				if p, problems = Compile(c.src, Options{Unsafe: true}); p == nil {
					if theyPass {
						t.Logf("line %d: %s\n  is always refused: %v", c.line, c.src, problems)
					}
					continue
				}
				unsafeOnly++
			} else {
				if theyPass {
					t.Errorf("line %d: %s\n  does not compile: %v", c.line, c.src, problems)
				}
				continue
			}
		}
		if p.Compiled() {
			compiled++
		}
		out, err := p.Run(&Frame{Time: 10 * time.Second}, in)
		var got []string
		for _, v := range out {
			got = append(got, canonical(t, v))
		}
		if err == nil && slices.Equal(got, want) {
			passed++
		} else if theyPass {
			t.Errorf("line %d: %s on %s\n  gives %v %v\n  want  %v", c.line, c.src, c.in, got, err, want)
		}
	}
	t.Logf("%s: %d cases, the interpreter passes %d, we pass %d (%d as closures, %d need Unsafe, %d more refused)",
		filepath.Base(file), total, theirs, passed, compiled, unsafeOnly, refusedOnly-unsafeOnly)
}

// canonical writes numbers by value, because the suite compares them so.
func canonical(t *testing.T, v any) string { return encode(t, byValue(v)) }

func byValue(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = byValue(e)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = byValue(e)
		}
		return out
	}
	if n := new(machine).num(v); n.kind != noNumber {
		return n.float()
	}
	return v
}

func reencode(t *testing.T, values []string) []string {
	out := make([]string, 0, len(values))
	for _, s := range values {
		v, err := decodeAny(s)
		if err != nil { // nested too deeply to read back
			out = append(out, s)
			continue
		}
		out = append(out, canonical(t, v))
	}
	return out
}
