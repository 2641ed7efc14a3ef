package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/examples"
	"crossdock/runtime"
	"crossdock/runtime/journal"
	"crossdock/runtime/partner"
	"crossdock/runtime/queue"
)

func (a *app) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use: "demo", GroupID: "run", Args: cobra.NoArgs,
		Short: "Play the spare parts story on this machine: partners, failures, repeats",
		Long: `Start four partners (ERP, TMS, courier, field service) and crossdock on its embedded
store, all on this machine, and play the life of one order: a TMS that fails
twice, a webhook that comes twice, a delivery that fails. Then print the story of
the order and the balance of all messages.`,
		Example: "  crossdock demo\n  crossdock demo --keep",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), keep) },
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave everything running afterwards and print the addresses")
	return cmd
}

// demoSecret gives every secret a value that is fit for all verifications.
func demoSecret(name string) (string, error) {
	sum := sha256.Sum256([]byte("demo " + name))
	return "whsec_" + base64.StdEncoding.EncodeToString(sum[:24]), nil
}

func (a *app) demo(ctx context.Context, keep bool) error {
	dir, err := os.MkdirTemp("", "crossdock-demo-")
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if !keep {
		defer os.RemoveAll(dir)
	}
	const name = "01-spare-parts"
	if err := copyTree(examples.FS, name, dir); err != nil {
		return failf(exitLoad, "%s", err)
	}
	ws, list, err := load(dir, "demo")
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the demo is not fit to run")
	}
	stage, err := partner.Open(ws, true)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	d := &demo{app: a, dir: dir, stage: stage, keep: keep}
	return d.run(ctx)
}

// demo is one performance.
type demo struct {
	*app
	dir    string
	stage  *partner.Stage
	engine *runtime.Engine
	keep   bool
}

func (d *demo) run(ctx context.Context) error {
	logFile, err := os.Create(filepath.Join(d.dir, "crossdock.log"))
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	defer logFile.Close()
	log := logTo(logFile)
	e, err := runtime.New(ctx, runtime.Options{Dir: d.dir, Environment: "demo", Vars: d.stage.Vars, Std: std(), HTTP: "127.0.0.1:0",
		Log: log, Secret: demoSecret, Watch: d.keep})
	var list diag.List
	if errors.As(err, &list) {
		d.print(list, d.dir, "text")
		return failf(exitLoad, "the demo is not fit to run")
	}
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	d.engine = e
	if err := e.Listen(); err != nil {
		return failf(exitLoad, "%s", err)
	}
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var served, ran error
	wg.Go(func() { served = d.stage.Serve(running) })
	wg.Go(func() { ran = d.app.serve(running, e, d.dir, runFlags{admin: "127.0.0.1:0"}, log, &trail{}) })
	played := d.play(ctx)
	if played == nil && d.keep {
		d.addresses()
		<-ctx.Done()
	}
	stop()
	wg.Wait()
	if err := errors.Join(played, served, ran); err != nil {
		var known *exit
		if errors.As(played, &known) {
			return known
		}
		return failf(exitLoad, "%s", err)
	}
	return nil
}

// play goes through the script and judges the end.
func (d *demo) play(ctx context.Context) error {
	fsys := os.DirFS(d.dir)
	acts, err := partner.ReadScript(fsys, "demo/script.json")
	if err != nil {
		return err
	}
	sender := &partner.Sender{Base: "http://" + d.engine.Addr(), WS: d.engine.Worker().Live().WS, Secret: spec.Sealing(demoSecret), FS: fsys, Dir: "demo"}
	var story []string
	for i, act := range acts {
		if act.Note != "" {
			fmt.Fprintf(d.Stdout, "%s %s\n", d.bold(fmt.Sprintf("%2d", i+1)), act.Note)
		}
		switch {
		case act.Fail != "":
			conn, op, _ := strings.Cut(act.Fail, ".")
			if d.stage.Partners[conn] == nil {
				return failf(exitLoad, "the script names %s, which is no operation", act.Fail)
			}
			d.stage.Partners[conn].Fail(op, act.Answers...)
		case act.Send != "":
			began := time.Now()
			status, answer, err := sender.Send(ctx, act)
			if err != nil {
				return err
			}
			fmt.Fprintf(d.Stdout, "     -> %d %s\n", status, short(answer, 80))
			if status >= 300 {
				return failf(exitFindings, "%s was refused", act.File)
			}
			if err := d.quiet(ctx); err != nil {
				return err
			}
			d.effects(began)
		default:
			story = act.Story
		}
	}
	return d.ending(ctx, story)
}

// quiet waits until nothing is under way.
func (d *demo) quiet(ctx context.Context) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		b, err := journal.ReadBalance(ctx, d.engine.Driver(), "")
		if err != nil {
			return err
		}
		if b.Open == 0 && b.Unaccounted == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return failf(exitFindings, "after a minute %d messages are still open", b.Open)
		}
		t := time.NewTimer(20 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// effects tells what the partners have seen since began.
func (d *demo) effects(began time.Time) {
	for _, name := range sorted(d.stage.Partners) {
		for _, c := range d.stage.Partners[name].Calls() {
			if c.At.Before(began) {
				continue
			}
			mark := fmt.Sprint(c.Status)
			if c.Status >= 500 {
				mark += "  (told to fail)"
			}
			fmt.Fprintf(d.Stdout, "        %-36s %s\n", c.Operation, mark)
		}
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// ending tells the story and the balance.
func (d *demo) ending(ctx context.Context, story []string) error {
	if len(story) == 2 {
		page, err := d.engine.Driver().Browse(ctx, queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: story[0], Value: story[1]}, Limit: 1000})
		if err != nil {
			return err
		}
		fmt.Fprintf(d.Stdout, "\n%s\n", d.bold("The story of "+story[0]+" "+story[1]))
		d.story(page.Entries)
	}
	b, err := journal.ReadBalance(ctx, d.engine.Driver(), "")
	if err != nil {
		return err
	}
	fmt.Fprintln(d.Stdout)
	d.balance(b)
	if b.Unaccounted != 0 || b.Open != 0 {
		return failf(exitFindings, "messages are missing")
	}
	return nil
}

func (d *demo) bold(s string) string {
	if !d.terminal(d.Stdout) {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

func (d *demo) addresses() {
	fmt.Fprintf(d.Stdout, "\nEverything goes on running; stop it with Ctrl-C.\n  workspace   %s\n  webhooks    http://%s\n", d.dir, d.engine.Addr())
	for _, name := range sorted(d.stage.Addrs) {
		fmt.Fprintf(d.Stdout, "  %-11s %s/_mock\n", name, d.stage.Addrs[name])
	}
	fmt.Fprintf(d.Stdout, "Look at it with: crossdock status --dir %s\n", d.dir)
}

// copyTree writes a folder of an embedded file system to dir.
func copyTree(fsys fs.FS, root, dir string) error {
	return fs.WalkDir(fsys, root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		raw, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		return os.WriteFile(to, raw, 0o644)
	})
}
