package dsl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
	"crossdock/dsl/mapping"
)

// A hostile program of testdata/hostile: on each line how it ends, a tab and its
// source. It ends as one of
//
//	refused CODE   the check of definitions does not let it pass
//	stopped WHAT   at a limit: time, memory, outputs, depth, digits or text
//	failed CODE    as any row that does not fit its message
//	harmless       it only looks hostile
//
// An outcome of ? is filled in by -update.
type hostileProgram struct{ file, outcome, source string }

func hostilePrograms(t testing.TB, file string) []hostileProgram {
	raw, err := os.ReadFile(filepath.Join("testdata", "hostile", file))
	if err != nil {
		t.Fatal(err)
	}
	var out []hostileProgram
	for line := range strings.Lines(string(raw)) {
		outcome, source, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			t.Fatalf("%s: no tab in %q", file, line)
		}
		out = append(out, hostileProgram{file, outcome, source})
	}
	return out
}

// hostileMessage is what the programs are run on: everything in it is allowed.
func hostileMessage() map[string]any {
	var list, codes, p []any
	for i := range 100_000 {
		list, codes = append(list, json.Number("7")), append(codes, strconv.Itoa(i))
	}
	for range 4 {
		p = append(p, json.Number("100000"))
	}
	return map[string]any{
		"text": strings.Repeat("a", 1<<20), "fits": strings.Repeat("a", 64<<10), "words": strings.Repeat("a, ", 1<<21/3),
		"list": list, "codes": codes, "p": p, "x": "x", "ten": "abcdefghij", "nines": strings.Repeat("9", 900),
		"n": json.Number("536870911"), "num": json.Number("12345678901234567890"), "esc": `"\"\\`,
	}
}

// TestHostile takes every hostile program the way that definitions and messages
// go: the check of definitions, then a mapping.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	dsltest.Unraced(t, "runs one program after the other")
	programs := append(hostilePrograms(t, "jq.txt"), hostilePrograms(t, "rule.txt")...)
	fsys := fstest.MapFS{"crossdock.yaml": {Data: []byte("crossdock: 1\n")}}
	for i, p := range programs {
		quoted, err := json.Marshal(p.source)
		if err != nil {
			t.Fatal(err)
		}
		row := "{from: " + string(quoted) + "}"
		if p.file == "rule.txt" {
			row = "{const: 1, when: " + string(quoted) + "}"
		}
		fsys[fmt.Sprintf("m%d.mapping.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "mapping: m%d\nfields:\n  x: %s\n", i, row)}
	}
	ws, list, err := dsl.Load(fsys, options())
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{}
	for _, d := range list {
		if d.Severity == diag.Error && refused[d.Span.File] == "" {
			refused[d.Span.File] = string(d.Code)
		}
	}
	message := hostileMessage()
	count := map[string]int{}
	for i := range programs {
		p := &programs[i]
		var got string
		name := fmt.Sprintf("m%d", i)
		if code := refused[name+".mapping.yaml"]; code != "" {
			got = "refused " + code
		} else {
			got = runHostile(t, ws.Mappings[name], message, p)
		}
		kind, _, _ := strings.Cut(got, " ")
		count[kind]++
		// The time of a rule cannot be set, so a slow machine may end there first.
		late := p.file == "rule.txt" && !strings.HasPrefix(p.outcome, "refused") && got == "stopped time"
		if got != p.outcome && !late {
			if *update {
				p.outcome = got
			} else {
				t.Errorf("%s: %s, want %s", p.source, got, p.outcome)
			}
		}
	}
	t.Logf("%d programs: %v", len(programs), count)
	if *update {
		texts := map[string]string{}
		for _, p := range programs {
			texts[p.file] += p.outcome + "\t" + p.source + "\n"
		}
		for file, text := range texts {
			if err := os.WriteFile(filepath.Join("testdata", "hostile", file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// runHostile says how a program ends. Only one of its limits is low, so that it
// ends in the same way on every machine.
func runHostile(t *testing.T, m *compile.Mapping, message any, p *hostileProgram) string {
	if m == nil {
		t.Fatalf("%s is neither refused nor a mapping", p.source)
	}
	scope := &cell.Scope{Time: time.Minute, Bytes: 4 << 20}
	switch {
	case p.outcome == "?":
		scope.Time = 3 * time.Second
	case strings.HasPrefix(p.outcome, "stopped time"):
		scope = &cell.Scope{Time: 20 * time.Millisecond}
	}
	_, err := m.Mapping.Apply(scope, message)
	if err == nil {
		return "harmless"
	}
	var failed *mapping.Error
	if !errors.As(err, &failed) {
		t.Fatalf("%s: %v", p.source, err)
	}
	text := failed.Rows[0].Message
	for _, l := range []struct{ what, part string }{
		{"time", "takes longer than "}, {"time", "takes too long"}, {"memory", "builds more than "}, {"memory", "builds too many values"},
		{"outputs", "gives more than "}, {"depth", "nested too deeply"}, {"digits", "too many digits"}, {"text", "matches a text of "}, {"text", "64 KiB"},
	} {
		if strings.Contains(text, l.part) {
			return "stopped " + l.what
		}
	}
	return "failed " + failed.Rows[0].Code
}
