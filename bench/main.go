// Command bench measures crossdock beside other systems, on this machine, in
// alternating runs, and writes down what came out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"time"

	"crossdock/bench/report"
)

// bench is one run of the command.
type bench struct {
	ctx   context.Context
	root  string // of the repository
	tmp   string
	smoke bool

	profiles string // folder for processor profiles of crossdock, "" = none
	pprof    string // where the running crossdock serves them
	token    string // the file with its admin token
	runs     int
	report   report.Report

	crossdock, benthos string // binaries
	bento              string // another one, built when it is first needed
}

type section struct {
	name string
	run  func(*bench) error
}

var sections = []section{
	{"mapping", (*bench).mapping},
	{"file", (*bench).file},
	{"http", (*bench).http},
	{"redis", (*bench).redis},
	{"definitions", (*bench).definitions},
	{"backlog", (*bench).backlog},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	b := &bench{ctx: ctx}
	var only, doc string
	flag.BoolVar(&b.smoke, "smoke", false, "one short run of everything, to see that it works; its figures mean nothing")
	flag.IntVar(&b.runs, "runs", 5, "alternating runs of each system")
	flag.StringVar(&only, "only", "", "sections to run, by commas: mapping, file, http, redis, definitions, backlog")
	flag.StringVar(&doc, "write", "", "document into which the sections that were run are written, between its markers")
	flag.StringVar(&b.crossdock, "crossdock", "", "binary to measure instead of one built from here")
	flag.StringVar(&b.profiles, "profiles", "", "folder for processor profiles of crossdock, one per run")
	flag.Parse()
	if b.smoke {
		b.runs = 1
	}
	defer func() { os.RemoveAll(b.tmp) }()
	if err := b.prepare(); err != nil {
		return err
	}
	head := b.machine()
	var failed []string
	for _, s := range sections {
		if only != "" && !strings.Contains(","+only+",", ","+s.name+",") {
			continue
		}
		began := time.Now()
		if err := s.run(b); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, err)
			failed = append(failed, s.name)
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", s.name, time.Since(began).Round(time.Second))
	}
	fmt.Println(head)
	fmt.Println()
	fmt.Print(b.report.String())
	if len(failed) > 0 {
		return fmt.Errorf("these sections failed: %s", strings.Join(failed, ", "))
	}
	if doc != "" {
		return b.report.WriteInto(doc, head)
	}
	return nil
}

// prepare builds what is measured.
func (b *bench) prepare() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	b.root = filepath.Dir(wd)
	if _, err := os.Stat(filepath.Join(wd, "workspace", "crossdock.yaml")); err != nil {
		return fmt.Errorf("run this in the folder bench of the repository")
	}
	if b.tmp, err = os.MkdirTemp("", "crossdock-bench-"); err != nil {
		return err
	}
	b.benthos = filepath.Join(b.tmp, "benthos")
	if err := b.build(wd, b.benthos, "./peer"); err != nil {
		return err
	}
	if b.crossdock == "" {
		b.crossdock = filepath.Join(b.tmp, "crossdock")
		return b.build(b.root, b.crossdock, "./cmd/crossdock")
	}
	return nil
}

func (b *bench) build(dir, out, pkg string) error {
	args := []string{"build", "-o", out, pkg}
	if dir != b.root {
		args = []string{"build", "-mod=mod", "-o", out, pkg} // go.mod follows that of crossdock
	}
	cmd := exec.CommandContext(b.ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// machine says where and with what was measured.
func (b *bench) machine() string {
	cpu := "unknown processor"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				cpu = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(name), ":"))
				break
			}
		}
	}
	revision := "unknown"
	if out, err := exec.Command("git", "-C", b.root, "rev-parse", "--short", "HEAD").Output(); err == nil {
		revision = strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("Measured on %s: %d cores (%s, shared virtual machine), %s, crossdock %s, Benthos 4.45.0, medians of %d alternating runs. "+
		"The generator and the target run on the same cores. Absolute figures drift with the machine; compare within a table.",
		time.Now().UTC().Format("2006-01-02"), goruntime.NumCPU(), cpu, goruntime.Version(), revision, b.runs)
}

func (b *bench) log(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "  "+format+"\n", args...)
}
