package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"crossdock/dsl/dsltest"
	"crossdock/runtime/porttest"
	"crossdock/runtime/queue/redis/redistest"
)

// TestMain makes this test binary the command line that the scripts call.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){"crossdock": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		app := &app{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
		os.Exit(app.main(ctx, os.Args[1:]))
	}})
}

// cleaning removes the binary that some tests build.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer func() { os.RemoveAll(builtIn) }()
	return c.M.Run()
}

// TestScripts runs the command line as people do: one file per command below
// testdata/script. Beside the commands of testscript there are
//
//	exits CODE COMMAND...        the command ends with exactly this code
//	waits URL                    until somebody answers 200 there
//	eventually TEXT COMMAND...   until the output matches; 20 seconds at most
//	posts STATUS URL FILE [HEADER...]   sends JSON and expects the status
//	gets STATUS URL              asks without a token and expects the status
//	keep NAME PATTERN            $NAME = what the pattern found in stdout
//	fills FILE                   $NAME in the file becomes its value
//	cutlast FILE                 its last line is gone
//	changes FILE OLD NEW         OLD in the file becomes NEW
//
// Under the race detector it runs those in which something goes on beside other
// commands. The others start one process after the other, each of which is
// several times slower then; .ci/run has them in the step `unraced`.
func TestScripts(t *testing.T) {
	dir, files := "testdata/script", []string(nil)
	if dsltest.Raced {
		dir, files = "", sideBySide(t, dir)
	}
	race := func(name string) (bool, error) {
		if name == "race" {
			return dsltest.Raced, nil
		}
		return false, fmt.Errorf("there is no condition `%s`", name)
	}
	runScripts(t, testscript.Params{Dir: dir, Files: files, Condition: race}, "embedded:ws/.crossdock/store")
}

// TestRecordOnRedis makes tests of messages that a real Redis keeps, as the script
// does of those in the embedded store.
func TestRecordOnRedis(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	client := server.Client()
	// The script is a parallel test: it ends after this function.
	t.Cleanup(func() {
		keys, err := client.DBSize(context.Background()).Result()
		if err != nil || keys == 0 {
			t.Errorf("the store has %d keys: it was another one that was used (%v)", keys, err)
		}
	})
	runScripts(t, testscript.Params{Files: []string{"testdata/script/record.txtar"}}, server.URL())
}

// runScripts runs scripts with the commands of this package; $STORE is the store
// of those that name one.
func runScripts(t *testing.T, p testscript.Params, store string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:   p.Dir,
		Files: p.Files,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HTTP", "ADMIN", "PROBE"} {
				addr, err := porttest.Free()
				if err != nil {
					return err
				}
				env.Setenv(name, addr)
			}
			examples, err := filepath.Abs("../../examples")
			if err != nil {
				return err
			}
			env.Setenv("EXAMPLES", examples)
			env.Setenv("XD_SHOP_KEY", "script-key")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("STORE", store)
			return nil
		},
		Condition: p.Condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scriptExits, "waits": scriptWaits, "eventually": scriptEventually, "posts": scriptPosts, "gets": scriptGets, "keep": scriptKeep, "fills": scriptFills,
			"cutlast": scriptCutLast, "changes": scriptChanges,
		},
	})
}

// beside is a command that goes on while others run, or does so in itself.
var beside = regexp.MustCompile(`(?m)&(\w+&)?$|^exits 0 crossdock demo$`)

func sideBySide(t *testing.T, dir string) (scripts []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if beside.Match(raw) {
			scripts = append(scripts, path)
		}
	}
	if len(scripts) < 15 {
		t.Fatalf("only %d of %d scripts start something beside", len(scripts), len(all))
	}
	return scripts
}

// code runs a command and returns its exit code; what it wrote is there for
// stdout and stderr.
func code(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var ended interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	}
	ts.Fatalf("%s: %v", strings.Join(args, " "), err)
	return -1
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	if got := code(ts, args[1:]); strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s ended with %d, not %s\n%s%s", strings.Join(args[1:], " "), got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// patience is how long a script waits for another process.
const patience = 20 * time.Second

// until tries again and again; another process cannot signal us.
func until(ts *testscript.TestScript, what string, ok func() error) {
	deadline := time.Now().Add(patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %v", what, err)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

func scriptWaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waits URL")
	}
	until(ts, args[0], func() error {
		resp, err := http.Get(args[0])
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", resp.Status)
		}
		return nil
	})
}

func scriptEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually TEXT COMMAND...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	until(ts, args[0], func() error {
		_ = code(ts, args[1:]) // what it writes decides
		if out := ts.ReadFile("stdout"); !want.MatchString(out) {
			return fmt.Errorf("the output was:\n%s%s", out, ts.ReadFile("stderr"))
		}
		return nil
	})
}

func scriptPosts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: posts STATUS URL FILE [HEADER...]")
	}
	req, err := http.NewRequest(http.MethodPost, args[1], bytes.NewReader([]byte(ts.ReadFile(args[2]))))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range args[3:] {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	answers(ts, req, args[0])
}

func scriptGets(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gets STATUS URL")
	}
	req, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	answers(ts, req, args[0])
}

// answers sends a request, prints the answer and expects its status.
func answers(ts *testscript.TestScript, req *http.Request, status string) {
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s", answer)
	if strconv.Itoa(resp.StatusCode) != status {
		ts.Fatalf("%s answered %s, not %s: %s", req.URL, resp.Status, status, answer)
	}
}

func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATTERN")
	}
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) < 2 {
		ts.Fatalf("%s is not in the output:\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], m[1])
}

func scriptFills(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fills FILE")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// TestEveryCommandExplainsItself walks all commands: what can be run says in
// one line what it does and shows how it is typed.
func TestEveryCommandExplainsItself(t *testing.T) {
	root := (&app{Getenv: func(string) string { return "" }}).root()
	scripts, err := os.ReadDir("testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range scripts {
		raw, err := os.ReadFile("testdata/script/" + s.Name())
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c == root || c.Name() == "help" || c.Name() == "completion" || c.Parent().Name() == "completion" {
			return
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: one line without a full stop says what it does", c.CommandPath())
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("%s: no example shows it", c.CommandPath())
		}
		if c.Runnable() && !strings.Contains(all.String(), c.CommandPath()) {
			t.Errorf("%s: no script below testdata/script runs it", c.CommandPath())
		}
	}
	walk(root)
}

func scriptCutLast(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cutlast FILE")
	}
	text := ts.ReadFile(args[0])
	end := strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n') + 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:end]), 0o600))
}

func scriptChanges(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: changes FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}
