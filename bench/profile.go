package main

import (
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strings"

	"crossdock/bench/system"
)

// profile takes a processor profile of crossdock while something is measured;
// the function it returns waits for it. A profiled run is a little slower.
func (b *bench) profile(ps []*system.Process) (wait func()) {
	if b.profiles == "" || len(ps) == 0 || ps[0].Name != "crossdock" {
		return func() {}
	}
	done := make(chan error, 1)
	go func() { done <- b.fetchProfile() }()
	return func() {
		if err := <-done; err != nil {
			b.log("no profile: %v", err)
		}
	}
}

func (b *bench) fetchProfile() error {
	seconds := b.pick(5, 1)
	token, err := os.ReadFile(b.token)
	if err != nil {
		return err
	}
	req, err := nethttp.NewRequestWithContext(b.ctx, nethttp.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", b.pprof, seconds), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := nethttp.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != nethttp.StatusOK {
		return fmt.Errorf("status %d: %s", resp.StatusCode, raw)
	}
	name := fmt.Sprintf("crossdock-%s.pprof", strings.ReplaceAll(b.pprof, ":", "-"))
	return os.WriteFile(filepath.Join(b.profiles, name), raw, 0o644)
}
