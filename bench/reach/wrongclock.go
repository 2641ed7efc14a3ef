package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wrongClock names the file that says by how many seconds the clock on the wall
// is wrong.
const wrongClock = "CROSSDOCK_WRONG_CLOCK"

// wrongBuild builds crossdock with a standard library whose clock on the wall can
// be set wrong while it runs. What a program measures with the other clock, that
// never jumps, stays right, as it does where an operator sets the clock.
func wrongBuild(ctx context.Context, root, binary string) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	raw, err := os.ReadFile(original)
	if err != nil {
		return fmt.Errorf("read the standard library: %w", err)
	}
	text, err := wrongly(string(raw))
	if err != nil {
		return err
	}
	// At a place that stays, so that Go builds all of it once.
	changed, overlay := filepath.Join(root, "bin", "wrongclock", "time.go"), filepath.Join(root, "bin", "wrongclock", "overlay.json")
	if err := os.MkdirAll(filepath.Dir(changed), 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	plan, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(changed, []byte(text), 0o644), os.WriteFile(overlay, plan, 0o644)); err != nil {
		return fmt.Errorf("write the changed clock: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", binary, "./cmd/crossdock")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build crossdock with another clock: %w\n%s", err, text)
	}
	return nil
}

// wrongly changes the source of the package time.
func wrongly(source string) (string, error) {
	for _, change := range [][2]string{
		{"\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {", "\tsec, nsec, mono := runtimeNow()\n\tsec += wrongBy.Load()\n\tif mono == 0 {"},
		{"\t\"math/bits\"\n", "\t\"math/bits\"\n\t\"sync/atomic\"\n\t\"syscall\"\n"},
	} {
		if strings.Count(source, change[0]) != 1 {
			return "", fmt.Errorf("the package time of this Go is not the one that is changed here: it has no %q", change[0])
		}
		source = strings.Replace(source, change[0], change[1], 1)
	}
	return source + wrongText, nil
}

// The time is asked where nothing may wait, such as on the stack of a timer: what
// it is wrong by is read elsewhere.
const wrongText = `
var wrongBy atomic.Int64

func init() {
	path, _ := syscall.Getenv("` + wrongClock + `")
	if path == "" {
		return
	}
	readWrong(path)
	go func() {
		for {
			Sleep(50 * Millisecond)
			readWrong(path)
		}
	}()
}

// readWrong reads by how many seconds the clock on the wall is wrong.
func readWrong(path string) {
	fd, err := open(path)
	if err != nil {
		return // as before
	}
	defer closefd(fd)
	var buf [32]byte
	n, _ := read(fd, buf[:])
	by, sign := int64(0), int64(1)
	for _, c := range buf[:max(n, 0)] {
		switch {
		case c == '-':
			sign = -1
		case '0' <= c && c <= '9':
			by = 10*by + int64(c-'0')
		}
	}
	wrongBy.Store(sign * by)
}
`
