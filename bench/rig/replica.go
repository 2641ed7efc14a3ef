package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"crossdock/bench/system"
	"crossdock/runtime/admin"
)

// Replica is one crossdock process, which can be ended and started again.
type Replica struct {
	Name, HTTP, admin string
	state             string
	command           []string
	p                 *system.Process
}

func newReplica(n int, env []string, dir, workspace, binary string, args []string) (*Replica, error) {
	r := &Replica{Name: fmt.Sprintf("replica%d", n)}
	var err error
	if r.HTTP, err = system.Port(); err != nil {
		return nil, err
	}
	if r.admin, err = system.Port(); err != nil {
		return nil, err
	}
	r.state = filepath.Join(dir, r.Name)
	r.command = slices.Concat([]string{"env"}, env, []string{binary, "run", workspace, "--state", r.state, "--http", r.HTTP, "--admin", r.admin}, args)
	return r, nil
}

// Start runs the process and waits until it is ready.
func (r *Replica) Start(ctx context.Context) error {
	p, err := system.Run(r.Name, filepath.Dir(r.state), r.command[0], r.command[1:]...)
	if err != nil {
		return err
	}
	r.p = p
	tick := time.NewTicker(10 * time.Millisecond) // a real process: nothing signals readiness
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !r.Ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("%s did not become ready:\n%s", r.Name, p.Tail())
		case <-p.Ended():
			return fmt.Errorf("%s ended:\n%s", r.Name, p.Tail())
		case <-tick.C:
		}
	}
	return nil
}

var prober = &http.Client{Timeout: 2 * time.Second}

// Ready reports whether the process says that it takes in work.
func (r *Replica) Ready() bool {
	resp, err := prober.Get("http://" + r.admin + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

// Stop asks the process to end and says when it did not do so well.
func (r *Replica) Stop() error {
	r.p.Stop()
	return r.p.Wait(time.Second)
}

// Kill ends the process at once.
func (r *Replica) Kill() {
	if r.p != nil {
		r.p.Kill()
	}
}

// Admin returns a client of the control API.
func (r *Replica) Admin() (*admin.Client, error) {
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	return &admin.Client{Base: "http://" + r.admin, Token: token, HTTP: &http.Client{Timeout: time.Minute}}, nil
}

func (r *Replica) token() (string, error) {
	raw, err := os.ReadFile(filepath.Join(r.state, "admin.token"))
	if err != nil {
		return "", fmt.Errorf("read the admin token: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// Vitals are what a process holds at a moment.
type Vitals struct {
	RSS        int64 `json:"rss"`
	Heap       int64 `json:"heap"` // in use after a collection
	Goroutines int64 `json:"goroutines"`
	Files      int64 `json:"files"` // descriptors
}

// Vitals reads them. It makes the process collect its garbage.
func (r *Replica) Vitals(ctx context.Context) (Vitals, error) {
	v := Vitals{RSS: r.p.RSS(), Files: r.p.Files()}
	var err error
	if v.Heap, err = r.profile(ctx, "heap?gc=1&debug=1", "# HeapAlloc = "); err != nil {
		return v, err
	}
	v.Goroutines, err = r.profile(ctx, "goroutine?debug=1", "goroutine profile: total ")
	return v, err
}

// profile reads the number behind some words of a profile.
func (r *Replica) profile(ctx context.Context, name, words string) (int64, error) {
	token, err := r.token()
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.admin+"/debug/pprof/"+name, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("read the profile %s: %w", name, err)
	}
	defer resp.Body.Close()
	found := int64(-1)
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), words); ok {
			if found, err = strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err != nil {
				return 0, fmt.Errorf("read the profile %s: %w", name, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("read the profile %s: %w", name, err)
	}
	if found < 0 {
		return 0, errors.New("the profile " + name + " does not say " + words)
	}
	return found, nil
}
