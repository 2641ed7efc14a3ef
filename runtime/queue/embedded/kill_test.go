package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// TestMain runs this binary as a worker that is going to be killed when the
// environment says so.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CROSSDOCK_TEST_VICTIM"); dir != "" {
		if err := victim(dir, os.Getenv("CROSSDOCK_TEST_ROUND")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// victim applies and finishes jobs for ever, and tells what was acknowledged:
// "+ id" for a job, "- id" before its end is asked for, "= id" after.
func victim(dir, round string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d, err := Open(ctx, dir, Options{})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := func(sign, id string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(os.Stdout, "%s %s\n", sign, id)
	}
	errs := make(chan error)
	for p := range 8 {
		go func() {
			for i := 0; ; i++ {
				c := big(fmt.Sprintf("r%s-p%d-%d", round, p, i))
				c.Jobs[0].Key = fmt.Sprint(i % 50)
				c.Jobs[0].Dedupe = c.Jobs[0].ID
				if _, err := d.Apply(ctx, c); err != nil {
					errs <- err
					return
				}
				out("+", c.Jobs[0].ID)
			}
		}()
		go func() {
			for {
				ls, err := d.Lease(ctx, queue.Want{Lane: "l", Max: 1, TTL: time.Minute, Wait: time.Second})
				if err != nil {
					errs <- err
					return
				}
				for _, l := range ls {
					out("-", l.ID)
					if _, err := d.Apply(ctx, queue.Commit{Finish: []queue.Finish{{Lease: l}}}); err != nil {
						errs <- err
						return
					}
					out("=", l.ID)
				}
			}
		}()
	}
	return <-errs
}

// A process that is killed at any moment loses nothing that it acknowledged, and
// nothing comes back that it finished.
func TestKill(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	added, ending, ended := map[string]bool{}, map[string]bool{}, map[string]bool{}
	crashes := 0
	for round := range rounds {
		for line := range strings.Lines(killed(t, dir, fmt.Sprint(round))) {
			sign, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if !ok || !strings.HasSuffix(line, "\n") {
				continue // torn by the end
			}
			switch sign {
			case "+":
				added[id] = true
			case "-":
				ending[id] = true
			case "=":
				ended[id] = true
			}
		}
		s := openTest(t, dir, Options{})
		there := map[string]queue.JobInfo{}
		for q := (queue.Query{View: queue.Jobs, Bodies: true, Limit: 1000}); ; {
			p, err := s.Browse(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range p.Jobs {
				there[j.ID] = j
				crashes += j.Crashes
			}
			if q.After = p.Next; p.Next == "" {
				break
			}
		}
		for id := range added {
			j, ok := there[id]
			switch {
			case !ok && !ending[id]:
				t.Errorf("round %d: %s was acknowledged and is gone", round, id)
			case ok && ended[id]:
				t.Errorf("round %d: %s was finished and is back", round, id)
			case ok && string(j.Body) != string(big(id).Jobs[0].Body):
				t.Errorf("round %d: %s came back with the body %.40q", round, id, j.Body)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(added) < 100*rounds {
		t.Errorf("only %d jobs were acknowledged: this says nothing", len(added))
	}
	t.Logf("%d acknowledged, %d finished, %d crashes counted", len(added), len(ended), crashes)
}

// killed runs the victim, kills it at random and returns what it said.
func killed(t *testing.T, dir, round string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "CROSSDOCK_TEST_VICTIM="+dir, "CROSSDOCK_TEST_ROUND="+round)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	left := 400 + rand.IntN(4000)
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			break
		}
		if left--; left == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || left > 0 {
		t.Fatalf("the victim ended by itself: %v", err)
	}
	return said.String()
}
