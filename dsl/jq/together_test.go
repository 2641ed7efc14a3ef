package jq

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"crossdock/dsl/dsltest"
)

// togetherRSS is what a hundred and more may take at once, over the bare process.
const togetherRSS = 512 << 20

const togetherEnv = "CROSSDOCK_HOSTILE_TOGETHER"

// TestHostileTogether runs more than a hundred hostile cells in one process at
// once, each with a program of its own as pipelines have, and looks at its
// memory. One by one they stay below hostileRSS; at once, those that wait for a
// turn hold what they could build before, which is more the faster the machine is.
func TestHostileTogether(t *testing.T) {
	if os.Getenv(togetherEnv) != "" {
		runTogether(t)
		return
	}
	if testing.Short() {
		t.Skip("takes minutes")
	}
	dsltest.Unraced(t, "memory counts")
	_, base := hostileChild(t, "-1")
	cmd := exec.Command(os.Args[0], "-test.run=^TestHostileTogether$")
	cmd.Env = append(os.Environ(), togetherEnv+"=1")
	b, err := cmd.CombinedOutput()
	out := string(b)
	if err != nil && !strings.Contains(out, "ENDED ") {
		t.Fatalf("the process died: %v: %.2000s", err, out)
	}
	rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10 - base
	_, out, _ = strings.Cut(out, "ENDED ")
	t.Logf("%d MiB over a bare process; %s", rss>>20, out)
	if rss > togetherRSS {
		t.Errorf("%d MiB over a bare process", rss>>20)
	}
}

func runTogether(t *testing.T) {
	inputs := map[string]any{} // a message is decoded once
	var programs []*Program
	var ins []any
	for len(programs) < 120 {
		for _, h := range hostileCells {
			if strings.HasPrefix(h.in, "a") || h.in == "list100k" {
				continue // large messages are counted with what is in flight
			}
			p, _ := Compile(h.src, Options{Unsafe: true})
			if p == nil {
				continue
			}
			in, ok := inputs[h.in]
			if !ok {
				in = bigInput(t, h.in)
				inputs[h.in] = in
			}
			programs, ins = append(programs, p), append(ins, in)
		}
	}
	var mu sync.Mutex
	ends := map[string]int{}
	start := time.Now()
	var wg sync.WaitGroup
	for i, p := range programs {
		wg.Go(func() {
			_, err := p.Run(&Frame{}, ins[i])
			how := "harmless"
			var limit *LimitError
			switch {
			case errors.As(err, &limit):
				how = limit.Limit.Error()
			case err != nil:
				how = "failed"
			}
			mu.Lock()
			ends[how]++
			mu.Unlock()
		})
	}
	wg.Wait()
	fmt.Printf("ENDED %d at once, all in %s: %v\n", len(programs), time.Since(start).Round(time.Millisecond), ends)
}
