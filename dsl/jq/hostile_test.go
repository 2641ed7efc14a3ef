package jq

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossdock/dsl/dsltest"
)

// hostile is a cell that tries to take the process down.
type hostile struct {
	src     string
	in      string // JSON, or a word that bigInput knows
	refused bool   // not compiled without Unsafe
	fine    bool   // ends by itself within the limits
}

var hostileCells = []hostile{
	{src: `def f: f; f`, refused: true},
	{src: `def f: [f]; f`, refused: true},
	{src: `def f: f, f; f`, refused: true},
	{src: `def f: 1 + f; f`, refused: true},
	{src: `range(1e12)`},
	{src: `last(range(1e12))`},
	{src: `[range(1e12)]`},
	{src: `[limit(1e9; repeat(1))]`, refused: true},
	{src: `last(limit(1e9; range(1e12)))`},
	{src: `0 | until(false; . + 1)`, refused: true},
	{src: `[0 | while(true; . + 1)]`, refused: true},
	{src: `[recurse(.)]`, refused: true},
	{src: `last(recurse(.a))`, refused: true},
	{src: `"abcdefghij" * 1000000000`, refused: true, fine: true},
	{src: `"abcdefghij" * 100000000`, refused: true},
	{src: `. * 100000000`, in: `"abcdefghij"`},
	{src: `("x" * 9999) | reduce range(40) as $i (.; . + .)`},
	{src: `("x" * 9999) | reduce range(1e9) as $i (.; . + "abcdefgh")`},
	{src: `(. * 5000) as $x | [range(5000) | $x] | add`, in: `"0123456789abcdef"`},
	{src: `(. * 5000) as $x | [range(5000) | $x] | join(",")`, in: `"0123456789abcdef"`},
	{src: `(. * 5000) as $x | [range(5000) | $x] | tojson`, in: `"0123456789abcdef"`},
	{src: `[range(50000)] | . - .`},
	{src: `[range(50000)] as $a | $a | map(. as $i | $a | index($i))`},
	{src: `[range(20000) | [.]] | contains([range(20000) | [. + 0.5]])`},
	{src: `[range(1000)] | [.[] as $a | .[] as $b | .[] as $c | .[] as $d | $a]`},
	{src: `[range(300)] | combinations(5)`},
	{src: `[[range(300)], [range(300)], [range(300)], [range(300)]] | [combinations]`},
	{src: `[range(100000) | [], [range(2)]] | transpose | length`, fine: true},
	{src: `[[range(100000)], (range(100000) | [])] | transpose | length`},
	{src: `reduce range(100000000) as $i (null; [.])`},
	{src: `reduce range(3000000) as $i (null; [.]) | tojson`},
	{src: `reduce range(1000000) as $i (null; {a: .}) | [..] | length`},
	{src: `reduce range(1000000) as $i (null; [.]) | . == [.]`},
	{src: `reduce range(1000000) as $i (null; [.]) | flatten`},
	{src: `reduce range(1000000) as $i (null; [.]) as $d | [$d, $d] | sort | length`},
	{src: `reduce range(1000000) as $i (null; [.]) | walk(.)`},
	{src: `reduce range(1000000) as $i (null; [.]) | contains([[]])`},
	{src: `reduce range(1000000) as $i (null; [.]) | "\(.)"`},
	{src: `reduce range(1000000) as $i (null; [.]) | [paths] | length`},
	{src: `reduce range(1000000) as $i (null; [.]) | tostream`},
	{src: `reduce range(1000000) as $i (null; [.]) | error`},
	{src: `reduce range(1000000) as $i (null; [.])`},
	{src: `.[536870911] = 1`, refused: true},
	{src: `.n as $n | null | .[$n] = 1`, in: `{"n": 536870911}`},
	{src: `setpath([.n]; 1)`, in: `{"n": 400000000}`},
	{src: `.p as $p | null | setpath($p; 1)`, in: `{"p": [100000, 100000, 100000, 100000]}`, fine: true},
	{src: `fromstream([[.n], 1], [[.n]])`, in: `{"n": 400000000}`},
	{src: `reduce range(100000000) as $i (.; .[$i | tostring] = $i)`, in: `{}`},
	{src: `reduce range(100000000) as $i (.; .[$i] = $i)`, in: `[]`},
	{src: `. as $n | reduce range(60) as $i ($n; . * .)`, in: `12345678901234567890`},
	{src: `. as $n | reduce range(1000000) as $i ($n; . * $n)`, in: `12345678901234567890`},
	{src: `[range(1000000)] | map(tostring) | sort | unique | length`},
	{src: `test("(a?){1000}$b")`, in: "a1M"},
	{src: `[match("a"; "g")]`, in: "a10M"},
	{src: `gsub("a"; "b") | length`, in: "a2M"},
	{src: `[scan("(a)(a)?")] | length`, in: "a2M"},
	{src: `[match(""; "g")] | length`, in: "a1M"},
	{src: `gsub(""; "xxxxxxxxxxxxxxxx") | gsub(""; "yyyyyyyyyyyyyyyy") | gsub(""; "z") | length`, in: "a1M"},
	{src: `capture("^" * 7888888)`, in: `"a"`, refused: true},
	{src: `. as $re | "a" * 1000 | test($re)`, in: `"((a{1,100}){1,100}){1,100}"`, refused: true},
	{src: `split("") | map(.) | join("") | explode | implode | length`, in: "a2M"},
	{src: `@json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | @json | length`, in: `"\"\\\"\\"`},
	{src: `[splits(", *")] | length`, in: "a2M", fine: true},
	{src: `[range(3000)] as $a | [$a[] as $x | $a[] as $y | {x: $x, y: $y}] | group_by(.x) | length`},
	{src: `. as $d | reduce range(30) as $i ([1]; . + .) | length`},
	{src: `reduce range(30) as $i ({}; {a: ., b: .}) | tojson | length`},
	{src: `reduce range(40) as $i ([]; [., .]) | [..] | length`},
	{src: `reduce range(40) as $i ([]; [., .]) | flatten | length`},
	{src: `reduce range(30) as $i ({}; {a: ., b: .}) | [paths] | length`},
	{src: `reduce range(30) as $i ({}; {a: ., b: .}) | . == {}`, fine: true},
	{src: `reduce range(40) as $i ([]; [., .]) as $d | $d == ($d | map(.))`},
	{src: `reduce range(40) as $i ([]; [., .])`},
	{src: `[range(1e7)] | .[1:] | .[1:] | length`},
	{src: `[.[] | pad_left(10000; "0")] | length`, in: "list100k"},
	{src: `exact_mul(.; .) | exact_mul(.; .) | exact_mul(.; .)`, in: `"` + strings.Repeat("9", 900) + `"`},
	{src: `reduce range(100000) as $i (.; exact_mul(.; 1.1))`, in: `1.1`},
	{src: `[range(1000000)] | map({a: ., b: [.]}) | length`},
	{src: `label $f | range(1e12) | if . > 1e11 then break $f else empty end`},
	{src: `first(range(1e12) | select(. < 0))`},
	{src: `isempty(range(1e12) | select(. < 0))`},
	{src: `any(range(1e12); . < 0)`},
	{src: `foreach range(1e12) as $i (0; . + 1; empty)`},
	{src: `try (range(1e12) | error) catch .`, fine: true},
	{src: `[range(1e12) | try error catch .] | length`},
	{src: `@base64 | @base64 | @base64 | @uri | @uri | @uri | @uri | @uri | @uri | @uri | @uri | @uri | @uri | @uri | @uri | length`, in: "a2M"},
	{src: `[limit(100000; .[])] | map(ltrimstr("x")) | unique_by(.) | length`, in: "list100k", fine: true},
	{src: `strftime("%Y" * 9999 * 100)`, in: `0`, fine: true},
	{src: `"\(strftime("%1000000000d"))"`, in: `0`, fine: true},
	{src: `. as {a: $a} ?// [$a] | reduce range(1e9) as $i ("x"; . + .)`, in: `{}`},
	{src: `. as {a: $a} ?// [$a] | [range(1e9)] | add`, in: `{}`},
	{src: `. as {a: $a} ?// [$a] | test("(b?){1000}$c")`, in: "a1M"},
}

func bigInput(t testing.TB, word string) any {
	switch word {
	case "":
		return nil
	case "a1M":
		return strings.Repeat("a", 1<<20)
	case "a2M":
		return strings.Repeat("a, ", 1<<21/3)
	case "a10M":
		return strings.Repeat("a", 10<<20)
	case "list100k":
		out := make([]any, 100_000)
		for i := range out {
			out[i] = strconv.Itoa(i)
		}
		return out
	}
	return decode(t, word)
}

const (
	hostileEnv  = "CROSSDOCK_HOSTILE_CELL"
	hostileRSS  = 256 << 20 // over the bare process
	hostileTime = 2 * DefaultTime
)

// TestHostileCompile checks what is refused without Unsafe.
func TestHostileCompile(t *testing.T) {
	for _, h := range hostileCells {
		p, problems := Compile(h.src, Options{})
		if h.refused != (p == nil) {
			t.Errorf("%s: refused %v, want %v: %v", h.src, p == nil, h.refused, problems)
		}
	}
	for _, src := range []string{strings.Repeat("(", 1_000_000), strings.Repeat(".a+", 10_000) + "1", strings.Repeat("[", 300), strings.Repeat("-", 500) + "1", strings.Repeat("if . then ", 250)} {
		p, problems := Compile(src, Options{Unsafe: true})
		if p != nil || len(problems) != 1 || problems[0].Kind != TooLarge {
			t.Errorf("%.10s... (%d bytes): %v", src, len(src), problems)
		}
	}
}

// TestHostileSource compiles and follows cells that are made to be slow there.
func TestHostileSource(t *testing.T) {
	defs, nested, calls := "def f0: ., .; ", "def f(g): [g, g]; ", "."
	for i := range 40 {
		defs += fmt.Sprintf("def f%d: f%d, f%d; ", i+1, i, i)
		calls = "f(" + calls + ")"
	}
	for _, src := range []string{
		strings.Repeat(".a | ", 5000) + ".", strings.Repeat(".a + ", 5000) + ".", "[" + strings.Repeat(".a, ", 5000) + ".]",
		strings.Repeat(".a // ", 5000) + ".", "." + strings.Repeat("[0]", 3500), `"` + strings.Repeat(`\(.a)`, 2000) + `"`,
		defs + "[f40]", nested + calls, strings.Repeat(". as $x | ", 2000) + ".", strings.Repeat(".a = 1 | ", 2000) + ".",
		strings.Repeat("{a: ", 150) + "1" + strings.Repeat("}", 150),
	} {
		start := time.Now()
		p, problems := Compile(src, Options{})
		if p == nil {
			t.Errorf("%.20s...: %v", src, problems)
			continue
		}
		p.Paths()
		p.Uses()
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.20s... (%d bytes) took %s", src, len(src), d)
		}
	}
}

// TestHostileRun runs every hostile cell in a process of its own, with Unsafe,
// and checks that it ends in time and in memory and takes nothing down.
func TestHostileRun(t *testing.T) {
	if at := os.Getenv(hostileEnv); at != "" {
		runHostile(t, at)
		return
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	dsltest.Unraced(t, "time and memory count")
	_, base := hostileChild(t, "-1")
	only := os.Getenv("CROSSDOCK_HOSTILE_ONLY") // part of the text of a cell
	worst := int64(0)
	for i, h := range hostileCells {
		if !strings.Contains(h.src, only) {
			continue
		}
		out, rss := hostileChild(t, strconv.Itoa(i))
		// Where others have the processors the collector comes late: the least counts.
		for again := 0; rss-base > hostileRSS && again < 2; again++ {
			if _, less := hostileChild(t, strconv.Itoa(i)); less > 0 {
				rss = min(rss, less)
			}
		}
		worst = max(worst, rss-base)
		words := strings.SplitN(out, " ", 3)
		if len(words) < 3 {
			t.Errorf("%s: the process died: %s", h.src, out)
			continue
		}
		d, err := time.ParseDuration(words[0])
		used, usedErr := time.ParseDuration(words[1])
		result := words[2]
		switch {
		case err != nil || usedErr != nil:
			t.Errorf("%s: the process died: %s", h.src, out)
		case late(d, used) && !h.fine:
			t.Errorf("%s: took %s (%s)", h.src, d, result)
		case rss-base > hostileRSS:
			t.Errorf("%s: took %d MiB (%s)", h.src, (rss-base)>>20, result)
		case h.fine && strings.HasPrefix(result, "limit"):
			t.Errorf("%s: was stopped: %s", h.src, result)
		}
		t.Logf("%-70.70s %8s %5d MiB  %.60s", h.src, d.Round(time.Millisecond), (rss-base)>>20, result)
	}
	t.Logf("%d cells, the worst took %d MiB over a bare process", len(hostileCells), worst>>20)
}

// late reports whether a run went on for too long: by the clock, and not only
// because others had the processors meanwhile.
func late(took, used time.Duration) bool { return took > hostileTime && used > hostileTime }

func hostileChild(t *testing.T, at string) (out string, rss int64) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHostileRun$")
	cmd.Env = append(os.Environ(), hostileEnv+"="+at)
	b, err := cmd.CombinedOutput()
	out = string(b)
	if err != nil && !strings.Contains(out, "RESULT ") {
		return fmt.Sprintf("%v: %.300s", err, out), 0
	}
	_, out, _ = strings.Cut(out, "RESULT ")
	out, _, _ = strings.Cut(out, "\n")
	return out, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// runHostile is the child.
func runHostile(t *testing.T, at string) {
	i, err := strconv.Atoi(at)
	if err != nil {
		t.Fatal(err)
	}
	h := hostile{src: "."}
	if i >= 0 {
		h = hostileCells[i]
	}
	in := bigInput(t, h.in)
	p, problems := Compile(h.src, Options{Unsafe: true})
	if p == nil {
		fmt.Printf("RESULT 0s 0s refused: %s\n", problems[0].Message)
		return
	}
	frame := &Frame{}
	if h.fine {
		frame.Time = time.Minute // how fast it is depends on the machine
	}
	start, before := time.Now(), dsltest.Used(t)
	out, err := p.Run(frame, in)
	result := fmt.Sprintf("%d values", len(out))
	if err != nil {
		result = "error: " + err.Error()
		if _, isLimit := err.(*LimitError); isLimit {
			result = "limit: " + err.Error()
		}
	}
	fmt.Printf("RESULT %s %s %.200s\n", time.Since(start), dsltest.Used(t)-before, strings.ReplaceAll(result, "\n", " "))
}
