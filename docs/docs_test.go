package docs

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/porttest"
	"crossdock/runtime/testrun"
)

var update = flag.Bool("update", false, "write the generated pages anew")

// block is one fenced block of a page.
type block struct {
	page string
	line int
	lang string // first word behind the fence
	info string // the rest of it
	text string
}

func (b block) place() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages are the pages people write; the others are generated or tested where
// they come from.
func pages(t *testing.T) []string {
	t.Helper()
	list := []string{"../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md"}
	for _, pattern := range []string{"*.md", "adr/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	return slices.DeleteFunc(list, func(p string) bool { return p == "checks.md" || p == "performance.md" })
}

func blocks(t *testing.T, page string) []block {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	var open *block
	for i, line := range strings.Split(string(raw), "\n") {
		fence := strings.HasPrefix(line, "```")
		switch {
		case fence && open == nil:
			lang, info, _ := strings.Cut(strings.TrimPrefix(line, "```"), " ")
			open = &block{page: page, line: i + 1, lang: lang, info: info}
		case fence:
			out = append(out, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Errorf("%s: the block is never closed", open.place())
	}
	return out
}

// TestDefinitions writes every `yaml PATH` block of a page into one workspace
// per page, which must lint without a finding and pass its tests. A block
// marked `yaml fragment` is a part of a definition and must be good YAML of our
// kind; `yaml wrong CODE` must give that finding.
func TestDefinitions(t *testing.T) {
	for _, page := range pages(t) {
		t.Run(strings.TrimPrefix(page, "../"), func(t *testing.T) {
			dir, files := t.TempDir(), 0
			for _, b := range blocks(t, page) {
				switch {
				case b.lang != "yaml" && b.lang != "json" && b.lang != "csv":
				case b.info == "fragment":
					if _, list := parser.Parse("fragment.yaml", []byte(b.text)); list.HasErrors() {
						t.Errorf("%s: %v", b.place(), list)
					}
				case strings.HasPrefix(b.info, "wrong "):
				case strings.Contains(b.info, "."):
					path := filepath.Join(dir, b.info)
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(b.text), 0o644); err != nil {
						t.Fatal(err)
					}
					files++
				default:
					t.Errorf("%s: say which file this is (```yaml mappings/x.mapping.yaml), or that it is a fragment", b.place())
				}
			}
			if files > 0 {
				checkWorkspace(t, dir)
				checkWrong(t, page, dir)
			}
		})
	}
}

func load(t *testing.T, dir string) (*dsl.Workspace, diag.List) {
	t.Helper()
	ws, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New(), Std: pipelines.Library(), AnyEnvironment: true})
	if err != nil {
		t.Fatal(err)
	}
	return ws, list
}

func checkWorkspace(t *testing.T, dir string) {
	t.Helper()
	ws, list := load(t, dir)
	for _, d := range list {
		t.Errorf("%s %s %s (%s)", d.Span, d.Code, d.Message, d.Hint)
	}
	if list.HasErrors() {
		return
	}
	cases := 0
	runner := &testrun.Runner{WS: ws, FS: os.DirFS(dir), Std: pipelines.Library()}
	own := func(test *compile.Test) bool { return !test.Std }
	runner.All(context.Background(), own, func(r testrun.Result) {
		cases++
		if !r.Passed() {
			t.Errorf("%s: %s: %s", r.Of, r.Case, strings.Join(r.Failures, "; "))
		}
	})
	if len(ws.Tests) > 0 && cases == 0 {
		t.Error("no case was run")
	}
}

// checkWrong adds each wrong block to the workspace of its page by itself.
func checkWrong(t *testing.T, page, dir string) {
	t.Helper()
	for _, b := range blocks(t, page) {
		code, file, ok := strings.Cut(strings.TrimPrefix(b.info, "wrong "), " ")
		if !ok || !strings.HasPrefix(b.info, "wrong ") {
			continue
		}
		path := filepath.Join(dir, file)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%s: %v", b.place(), err)
		}
		if err := os.WriteFile(path, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, list := load(t, dir)
		if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return string(d.Code) == code }) {
			t.Errorf("%s: lint finds no %s: %v", b.place(), code, list)
		}
		if err := os.WriteFile(path, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "crossdock-docs-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "crossdock")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/crossdock").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func crossdock(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommands runs all `sh` blocks of a page as one script, in a folder of its
// own that holds the files of the page, with the built binary. Blocks marked
// `sh repo` are for people in a clone and are only looked at. What a `text`
// block behind a command shows must be in its output, line by line; `...`
// stands for anything.
func TestCommands(t *testing.T) {
	for _, page := range pages(t) {
		script, expected, commands := scriptOf(t, page)
		if !commands {
			continue
		}
		t.Run(strings.TrimPrefix(page, "../"), func(t *testing.T) { runScript(t, t.TempDir(), script, expected) })
	}
}

// TestCommandsOfExamples does the same with the pages of examples, each in a copy
// of its folder.
func TestCommandsOfExamples(t *testing.T) {
	pages, err := filepath.Glob("../examples/[0-9][0-9]-*/README.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("there are no examples", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(filepath.Dir(page)), func(t *testing.T) {
			script, expected, commands := scriptOf(t, page)
			if !commands {
				t.Fatal("the page shows no command that is run")
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Dir(page))); err != nil {
				t.Fatal(err)
			}
			runScript(t, dir, "unset CROSSDOCK_ADMIN # nothing runs\n"+script, expected)
		})
	}
}

// scriptOf puts the commands of a page together, with what they are to print.
func scriptOf(t *testing.T, page string) (script string, expected []block, commands bool) {
	t.Helper()
	for _, b := range blocks(t, page) {
		switch {
		case b.lang == "sh" && b.info == "":
			commands = true
			script += fmt.Sprintf("echo '#### %d'\n%s\n", len(expected), b.text)
		case b.lang == "text" && b.info == "":
			script += fmt.Sprintf("echo '#### %d'\n", len(expected)+1)
			expected = append(expected, b)
		case (b.lang == "yaml" || b.lang == "json" || b.lang == "csv") && strings.Contains(b.info, ".") && !strings.HasPrefix(b.info, "wrong "):
			script += fmt.Sprintf("mkdir -p \"$(dirname '%s')\"\ncat > '%s' <<'END_OF_FILE'\n%sEND_OF_FILE\n", b.info, b.info, b.text)
		}
	}
	return script, expected, commands
}

func runScript(t *testing.T, dir, script string, expected []block) {
	bin := crossdock(t)
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("curl is not installed")
		}
		t.Skip("curl is not installed")
	}
	http, admin := porttest.Take(t), porttest.Take(t)
	script = strings.ReplaceAll(script, "127.0.0.1:8080", http)
	script = strings.ReplaceAll(script, "127.0.0.1:9101", porttest.Take(t))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"+script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"),
		"CROSSDOCK_HTTP="+http, "CROSSDOCK_ADMIN="+admin, "NO_COLOR=1")
	cmd.WaitDelay = 5 * time.Second
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	parts := strings.Split(out.String(), "#### ")
	for i, want := range expected {
		got := ""
		for _, p := range parts {
			if rest, ok := strings.CutPrefix(p, fmt.Sprintf("%d\n", i)); ok {
				got += rest
			}
		}
		checkOutput(t, want, strings.ReplaceAll(got, http, "127.0.0.1:8080"))
	}
}

func checkOutput(t *testing.T, want block, got string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	for _, line := range strings.Split(strings.TrimSpace(want.text), "\n") {
		if strings.TrimSpace(line) == "..." {
			continue
		}
		parts := strings.Split(strings.TrimSpace(line), "...")
		for i := range parts {
			parts[i] = blanks.ReplaceAllString(regexp.QuoteMeta(parts[i]), `\s+`)
		}
		pattern := regexp.MustCompile(`^\s*` + strings.Join(parts, `.*`) + `\s*$`)
		at := slices.IndexFunc(lines, pattern.MatchString)
		if at < 0 {
			t.Errorf("%s: the page shows\n  %s\nbut what is left of the output is\n%s", want.place(), line, strings.Join(lines, "\n"))
			return
		}
		lines = lines[at+1:]
	}
}

var blanks = regexp.MustCompile(` +`)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every link inside the repository.
func TestLinks(t *testing.T) {
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && strings.HasSuffix(path, ".md") && !slices.Contains(anchors(t, path), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}

func anchors(t *testing.T, page string) []string {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(string(raw), "\n") {
		if title := strings.TrimLeft(line, "#"); title != line {
			title = strings.ToLower(strings.TrimSpace(title))
			title = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(title, "")
			out = append(out, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return out
}

// TestADRs holds the records of decisions to their form.
func TestADRs(t *testing.T) {
	files, err := filepath.Glob("adr/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no records", err)
	}
	overview, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(filepath.Base(f), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("%s: numbers have no gaps", f)
		}
		for _, part := range []string{"## Why", "## Decision", "## What it costs"} {
			if !strings.Contains(string(raw), part) {
				t.Errorf("%s has no %q", f, part)
			}
		}
		if !strings.Contains(string(overview), "("+f+")") {
			t.Errorf("architecture.md does not link to %s", f)
		}
	}
}
