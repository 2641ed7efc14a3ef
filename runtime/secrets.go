package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"crossdock/dsl/spec"
)

// Secrets looks up ${secret.name} where the environment says. Each look-up
// reads anew, so a secret that was rotated is in use without a restart.
type Secrets struct {
	provider, prefix, dir string
	command               []string
	timeout               time.Duration
	mayRun                bool
}

// The bounds of what holds secrets.
const (
	maxSecret   = 64 << 10
	commandTime = 5 * time.Second
)

// NewSecrets returns the secrets of an environment; without one they are read
// from variables of the process that begin with XD_. mayRun says whether the
// operator of this machine lets definitions run programs.
func NewSecrets(s spec.Secrets, workspace string, mayRun bool) *Secrets {
	out := &Secrets{mayRun: mayRun, provider: s.Provider.Value, prefix: s.Prefix.Value, dir: s.Dir.Value, timeout: s.Timeout.Or(commandTime)}
	if out.provider == "" {
		out.provider = "env"
	}
	if out.provider == "env" && !s.Prefix.Set() {
		out.prefix = "XD_"
	}
	if out.dir != "" && !filepath.IsAbs(out.dir) {
		out.dir = filepath.Join(workspace, out.dir)
	}
	for _, word := range s.Command {
		out.command = append(out.command, word.Value)
	}
	return out
}

// Lookup returns the value of a secret. Errors name the secret and where it
// was looked for, never a value.
func (s *Secrets) Lookup(name string) (spec.Sealed, error) {
	switch s.provider {
	case "file":
		return s.inFile(name)
	case "exec":
		return s.byCommand(name)
	}
	variable := s.Variable(name)
	value, ok := os.LookupEnv(variable)
	if !ok || value == "" {
		return spec.Sealed{}, fmt.Errorf("the secret %s is not set: set the environment variable %s", name, variable)
	}
	return spec.Seal(value), nil
}

// inFile reads a file that only its owner may read. A folder of the orchestrator,
// where files belong to root and a group, is taken where nobody else reads.
func (s *Secrets) inFile(name string) (spec.Sealed, error) {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return spec.Sealed{}, fmt.Errorf("the secret %s is not a file name", name)
	}
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return spec.Sealed{}, fmt.Errorf("the secret %s is not in the folder of secrets", name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return spec.Sealed{}, fmt.Errorf("the secret %s is not a file", name)
	}
	if goruntime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return spec.Sealed{}, fmt.Errorf("the file of the secret %s can be read by everybody on this machine: chmod 600 it", name)
	}
	return s.bounded(name, f)
}

func (s *Secrets) bounded(name string, r io.Reader) (spec.Sealed, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return spec.Sealed{}, fmt.Errorf("the secret %s cannot be read", name)
	}
	if len(raw) > maxSecret {
		return spec.Sealed{}, fmt.Errorf("the secret %s is longer than %d bytes", name, maxSecret)
	}
	value := strings.TrimRight(string(raw), "\r\n")
	if value == "" {
		return spec.Sealed{}, fmt.Errorf("the secret %s is empty", name)
	}
	return spec.Seal(value), nil
}

// byCommand runs a program that prints the secret. It gets no shell, little
// time and little room; what it says on standard error is not passed on, since
// it may hold the secret.
func (s *Secrets) byCommand(name string) (spec.Sealed, error) {
	if !s.mayRun {
		return spec.Sealed{}, fmt.Errorf("the secret %s is printed by a program, and definitions may not run programs here; start with --allow-exec if they may", name)
	}
	if strings.HasPrefix(name, "-") {
		return spec.Sealed{}, fmt.Errorf("the secret %s would be taken for an option", name)
	}
	if len(s.command) == 0 {
		return spec.Sealed{}, fmt.Errorf("the secret %s cannot be had: the environment names no command", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	words := make([]string, len(s.command))
	for i, w := range s.command {
		words[i] = strings.ReplaceAll(w, "{name}", name)
	}
	out := &capped{left: maxSecret + 1, full: cancel}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.WaitDelay = out, time.Second
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case out.left == 0:
		return spec.Sealed{}, fmt.Errorf("the secret %s is longer than %d bytes", name, maxSecret)
	case ctx.Err() != nil:
		return spec.Sealed{}, fmt.Errorf("the secret %s was not printed within %s by %s", name, s.timeout, words[0])
	case errors.As(err, &ended):
		return spec.Sealed{}, fmt.Errorf("the secret %s cannot be had: %s ended with %d", name, words[0], ended.ExitCode())
	case err != nil:
		return spec.Sealed{}, fmt.Errorf("the secret %s cannot be had: %s cannot be run", name, words[0])
	}
	return s.bounded(name, &out.buf)
}

// capped is a buffer that takes so much and no more.
type capped struct {
	buf  bytes.Buffer
	left int
	full func() // called when it takes no more
}

// Write implements io.Writer.
func (r *capped) Write(p []byte) (int, error) {
	if len(p) > r.left {
		r.left = 0
		r.full()
		return 0, io.ErrShortWrite
	}
	r.left -= len(p)
	return r.buf.Write(p)
}

// Variable returns the name of the environment variable of a secret.
func (s *Secrets) Variable(name string) string {
	return s.prefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
