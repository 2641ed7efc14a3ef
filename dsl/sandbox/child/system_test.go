package child

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLow looks at a child at work: the last to get a processor with all its
// threads, the first to be ended where memory is short, and without anything of
// the process that started it.
func TestLow(t *testing.T) {
	t.Setenv("XD_TOKEN", "do-not-tell")
	held, err := os.Create(filepath.Join(t.TempDir(), "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, held.Fd(), syscall.F_SETFD, 0); errno != 0 { // as what this process itself was given
		t.Fatal(errno)
	}
	p := pool(t, Options{})
	_, err = p.Run(t.Context(), call(`[range(300000)] | sort | length | tostring | lookup("t")`, nil, func(string) (any, error) {
		proc := fmt.Sprintf("/proc/%d/", p.child(t).pid())
		read := func(name string) string {
			raw, err := os.ReadFile(proc + name)
			if err != nil {
				t.Error(err)
			}
			return string(raw)
		}
		for _, v := range strings.Split(strings.TrimRight(read("environ"), "\x00"), "\x00") {
			if name, _, _ := strings.Cut(v, "="); name != "GOMAXPROCS" && name != "GOMEMLIMIT" && name != "GOTRACEBACK" && name != "ZONEINFO" {
				t.Errorf("it sees %s", v)
			}
		}
		files, err := os.ReadDir(proc + "fd")
		if err != nil {
			t.Error(err)
		}
		for _, f := range files {
			to, err := os.Readlink(proc + "fd/" + f.Name())
			if err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "/sys/fs/cgroup/") { // Go's own
				t.Errorf("it has %s open", to)
			}
		}
		if got := strings.TrimSpace(read("oom_score_adj")); got != "1000" {
			t.Errorf("where memory is short it counts %s", got)
		}
		threads, err := os.ReadDir(proc + "task")
		if err != nil || len(threads) < 2 {
			t.Errorf("%d threads, %v", len(threads), err)
		}
		for _, th := range threads {
			_, rest, _ := strings.Cut(read("task/"+th.Name()+"/stat"), ") ")
			fields := strings.Fields(rest) // from the third on
			if nice, policy := fields[19-3], fields[41-3]; nice != "19" || policy != "5" {
				t.Errorf("thread %s has niceness %s and policy %s", th.Name(), nice, policy)
			}
		}
		return nil, nil
	}))
	if err != nil {
		t.Error(err)
	}
}

const orphanEnv = "CROSSDOCK_CHILD_ORPHAN"

// orphan is a process that tells who its child is, and is killed.
func orphan() int {
	p := New(Options{})
	_, err := p.Run(context.Background(), call(`lookup("t") | last(range(1e12))`, "k", func(string) (any, error) {
		for k := range p.live {
			fmt.Println(k.pid())
		}
		return "v", nil
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestNobodyStaysBehind kills a process whose child is at work: the child ends,
// too.
func TestNobodyStaysBehind(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orphanEnv+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) { // another process
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return
		}
		if _, rest, _ := strings.Cut(string(raw), ") "); strings.HasPrefix(rest, "Z") {
			return // nobody here asks how it ended
		}
		if time.Now().After(late) {
			t.Fatalf("%d still runs", pid)
		}
	}
}
