package jq_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/dsl/dsltest"
	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox"
)

// both compiles a cell for this process and for the sandbox.
func both(src string, opt jq.Options) (here, there *jq.Program) {
	here, _ = jq.Compile(src, opt)
	opt.Sandbox = sandbox.Default()
	there, _ = jq.Compile(src, opt)
	return here, there
}

// TestSandboxAgrees runs random cells, the examples of the docs and every kind
// of error in both places: same values of the same kinds, same errors.
func TestSandboxAgrees(t *testing.T) {
	dsltest.Unraced(t, "runs one cell after the other")
	agreeAll(t, sandbox.Default())
}

func agreeAll(t *testing.T, place jq.Sandbox) {
	cells := []struct{ src, in string }{
		{`1, 2`, `null`}, {`empty`, `null`}, {`error`, `null`}, {`error({a: [1.10]})`, `null`}, {`error("x" * 3000)`, `null`},
		{`.a.b`, `{"a": 1}`}, {`.a + {}`, `{"a": [1]}`}, {`nan, infinite, -infinite, -0.0`, `null`}, {`[nan]`, `null`},
		{`. * .`, `12345678901234567890`}, {`.[0]`, `{"a": 1}`}, {`lookup("service-levels")`, `"02"`}, {`lookup("service-levels")`, `"nope"`},
		{`lookup("metrobox-codes"; "type")`, `"020"`}, {`[$v, $w] | tojson`, `null`}, {`"\u0000é😀"`, `null`}, {`halt_error?`, `1`},
		{`range(200000)`, `null`}, {`nulls`, `[]`}, {`values`, `null`}, {`.a as {b: [$x]} | $x`, `{"a": {"b": [1.50]}}`},
	}
	for _, f := range jq.Functions() {
		for _, ex := range f.Examples {
			cells = append(cells, struct{ src, in string }{ex.Cell, ex.In})
		}
	}
	for _, c := range cells {
		agree(t, place, c.src, []any{1, "w"}, jq.Decode(t, c.in))
	}
	rapid.Check(t, func(rt *rapid.T) {
		src, vals, in := jq.Draw(rt, t)
		agree(rt, place, src, vals, in)
	})
}

func agree(t interface {
	Helper()
	Errorf(string, ...any)
}, place jq.Sandbox, src string, vals []any, in any) {
	t.Helper()
	opt := jq.Tables("v", "w")
	opt.Unsafe = true
	here, _ := jq.Compile(src, opt)
	opt.Sandbox = place
	there, _ := jq.Compile(src, opt)
	if here == nil || there == nil {
		if here != there {
			t.Errorf("%s compiles in one place only", src)
		}
		return
	}
	want, wantErr := here.Run(&jq.Frame{Vars: vals}, in)
	got, gotErr := there.Run(&jq.Frame{Vars: vals}, in)
	if unlike(want, wantErr, got, gotErr) {
		t.Errorf("%s\n  on %s\n  gives %s %v\n  and in the sandbox %s %v", src, kinds(in), kinds(want), wantErr, kinds(got), gotErr)
	}
	one, ok, wantErr := here.One(&jq.Frame{Vars: vals}, in)
	other, too, gotErr := there.One(&jq.Frame{Vars: vals}, in)
	if ok != too || unlike([]any{one}, wantErr, []any{other}, gotErr) {
		t.Errorf("one of %s\n  on %s\n  gives %s %v\n  and in the sandbox %s %v", src, kinds(in), kinds(one), wantErr, kinds(other), gotErr)
	}
}

func unlike(want []any, wantErr error, got []any, gotErr error) bool {
	var time1, time2 *jq.LimitError
	if errors.As(wantErr, &time1) && time1.Limit != jq.ErrOutputs || errors.As(gotErr, &time2) && time2.Limit != jq.ErrOutputs {
		return false // how much is built in a while depends on the machine
	}
	var run1, run2 *jq.RunError
	if errors.As(wantErr, &run1) != errors.As(gotErr, &run2) || run1 != nil && kinds(run1.Value) != kinds(run2.Value) {
		return true
	}
	return fmt.Sprint(wantErr) != fmt.Sprint(gotErr) || kinds(want) != kinds(got)
}

// kinds writes a value with the kind of everything in it.
func kinds(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = kinds(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, fmt.Sprintf("%q:%s", k, kinds(e)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprintf("%T %v", v, v)
}

// TestSandboxForgets checks that no run finds anything of the runs before it,
// however they ended.
func TestSandboxForgets(t *testing.T) {
	_, plain := both(`[.[] | tostring] | join("-")`, jq.Options{})
	_, fails := both(`.a | error`, jq.Options{})
	_, fills := both(`[range(300000) | {a: "secret-\(.)"}] | length`, jq.Options{})
	_, loops := both(`last(range(1e12))`, jq.Options{})
	for i, p := range []*jq.Program{plain, fails, plain, fills, plain, loops, plain, fills, fails, plain} {
		in := any([]any{1, "b"})
		if p == fails {
			in = map[string]any{"a": "x"}
		}
		v, _, err := p.One(&jq.Frame{Time: 300 * time.Millisecond}, in)
		switch {
		case p == plain && (err != nil || v != "1-b"):
			t.Errorf("run %d gives %v %v", i, v, err)
		case p == fails && (err == nil || err.Error() != "error: x"):
			t.Errorf("run %d fails with %v", i, err)
		case p == loops && !errors.Is(err, jq.ErrTime):
			t.Errorf("run %d ends with %v", i, err)
		}
	}
}

// TestSandboxIsStopped ends a run with its context.
func TestSandboxIsStopped(t *testing.T) {
	_, loops := both(`last(range(1e12))`, jq.Options{})
	if err := sandbox.Default().Prepare(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := loops.Run(&jq.Frame{Ctx: ctx, Time: time.Minute}, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ends with %v", err)
	}
}

const insideEnv = "CROSSDOCK_HOSTILE_INSIDE"

// TestSandboxHoldsHostileCells runs hostile cells in the sandbox of one
// process, one after the other, without any of the checks that refuse them
// before: each ends within twice its time, and the process stays within 256 MiB
// above what it takes when the sandbox is ready.
func TestSandboxHoldsHostileCells(t *testing.T) {
	if os.Getenv(insideEnv) != "" {
		hostileInside(t)
		return
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	dsltest.Unraced(t, "time and memory count")
	peak := func(which string) (string, int64) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSandboxHoldsHostileCells$", "-test.v", "-test.timeout=10m")
		cmd.Env = append(os.Environ(), insideEnv+"="+which)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("the process: %v\n%s", err, out)
		}
		return string(out), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	}
	_, base := peak("none")
	_, _ = peak("none") // the first one compiled
	_, again := peak("none")
	base = min(base, again)
	out, most := peak("all")
	if most-base > 256 {
		t.Errorf("took %d MiB over the %d of a sandbox that is ready", most-base, base)
	}
	t.Logf("%d MiB over %d\n%s", most-base, base, out)
}

// hostileInside is the child.
func hostileInside(t *testing.T) {
	if err := sandbox.Default().Prepare(); err != nil {
		t.Fatal(err)
	}
	sources, inputs := jq.Hostile(t)
	step, err := strconv.Atoi(os.Getenv("CROSSDOCK_HOSTILE_STEP"))
	if err != nil {
		step = 3 // every third of them
	}
	if os.Getenv(insideEnv) == "none" {
		sources = nil
	}
	worst := time.Duration(0)
	ends := map[string]int{}
	for i, src := range sources {
		if i%step != 0 && !strings.Contains(src, "test(") && !strings.Contains(src, "add") {
			continue
		}
		p, problems := jq.Compile(src, jq.Options{Unsafe: true, Sandbox: sandbox.Default()})
		if p == nil {
			if !slices.ContainsFunc(problems, func(p jq.Problem) bool { return !p.Warning }) {
				t.Errorf("%s: %v", src, problems)
			}
			continue
		}
		in := inputs[i]()
		start, before := time.Now(), dsltest.Used(t)
		_, err := p.Run(&jq.Frame{}, in)
		took := time.Since(start)
		worst = max(worst, took)
		if jq.Late(took, dsltest.Used(t)-before) {
			t.Errorf("%s took %s", src, took)
		}
		switch {
		case errors.Is(err, jq.ErrTime):
			ends["time"]++
		case errors.Is(err, jq.ErrMemory):
			ends["memory"]++
		case err != nil:
			ends["error"]++
			t.Logf("%-60.60s %v", src, err)
		default:
			ends["by itself"]++
		}
	}
	t.Logf("ended by %v, the longest took %s", ends, worst)
}
