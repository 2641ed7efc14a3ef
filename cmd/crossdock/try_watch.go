package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/reload"
)

// tryWatch shows what a mapping gives and shows it again after every save, until
// ctx ends.
func (a *app) tryWatch(ctx context.Context, name string, f tryFlags) error {
	w := &watching{app: a, name: name, f: f}
	if err := w.again(ctx); err != nil && !recovers(err) {
		return err
	}
	folders, err := watched(f)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup // joined below
	for _, dir := range folders {
		wg.Go(func() {
			err := reload.Watch(ctx, dir, runtime.StateDir, settle, quiet, reload.See(dir), func() {
				mu.Lock()
				defer mu.Unlock()
				_ = w.again(ctx) // what is wrong is on the screen
			})
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
				stop()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failf(exitLoad, "%s", failed)
	}
	return nil
}

// recovers reports whether the next save may mend an error: everything but wrong
// usage.
func recovers(err error) bool {
	var e *exit
	return errors.As(err, &e) && e.code != exitUsage
}

// watched are the folders whose files count: the workspace, and those of payloads
// outside of it.
func watched(f tryFlags) ([]string, error) {
	whole, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, err
	}
	out := []string{whole}
	for _, in := range f.in {
		at, err := filepath.Abs(filepath.Dir(in))
		if err != nil {
			return nil, err
		}
		inside := slices.ContainsFunc(out, func(dir string) bool {
			rel, err := filepath.Rel(dir, at)
			return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
		})
		if !inside {
			out = append(out, at)
		}
	}
	return out, nil
}

// watching is what has to be remembered from one save to the next.
type watching struct {
	*app
	name   string
	f      tryFlags
	before map[string]map[string]string // value by target, by payload; nil before the first run
}

// again runs the mapping and shows the result: on a terminal the whole of it in
// the place of the last, else only what is different.
func (w *watching) again(ctx context.Context) error {
	screen := w.terminal(w.Stdout)
	if screen {
		fmt.Fprint(w.Stdout, "\x1b[H\x1b[2J\x1b[3J")
	}
	trials, err := w.trials(ctx, w.name, w.f)
	now := time.Now().Format(time.TimeOnly)
	if err != nil {
		if recovers(err) || w.before != nil {
			fmt.Fprintf(w.Stdout, "%s  %s: %s\n", now, w.name, err)
		}
		return err
	}
	changes := 0
	after := map[string]map[string]string{}
	for _, t := range trials {
		after[t.file] = t.values(w.f.row)
		if w.before != nil {
			changes += len(changed(w.before[t.file], after[t.file]))
		}
	}
	first := w.before == nil
	fmt.Fprintf(w.Stdout, "%s  %s: %s\n", now, w.name, verdict(trials, changes, first))
	for _, t := range trials {
		if len(trials) > 1 {
			fmt.Fprintf(w.Stdout, "\n%s\n", t.file)
		}
		switch {
		case screen || first:
			w.trial(t, w.f.row, w.before[t.file])
		default:
			w.differences(t, changed(w.before[t.file], after[t.file]))
		}
		if screen {
			w.gone(w.before[t.file], after[t.file])
		}
	}
	w.before = after
	return nil
}

// verdict is the first line: what fails and what has changed.
func verdict(trials []*trial, changes int, first bool) string {
	bad := 0
	for _, t := range trials {
		bad += len(t.errs) + len(t.misfits)
		if t.text != "" {
			bad++
		}
	}
	text := "every row has its value"
	if bad > 0 {
		text = plural(bad, "row fails", "rows fail")
	}
	switch {
	case first:
	case changes == 0:
		text += ", nothing changed"
	default:
		text += ", " + plural(changes, "value changed", "values changed")
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// values are the values by target; a row that fails says so.
func (t *trial) values(only string) map[string]string {
	out := map[string]string{}
	for _, s := range t.shown(only) {
		out[s.target] = s.value
	}
	for _, r := range t.rows {
		if len(r.Errors) > 0 && strings.HasPrefix(r.Target, only) {
			out[r.Target] = "FAIL " + r.Errors[0].Message
		}
	}
	return out
}

// change is one value that is not what it was.
type change struct{ target, was, is string }

// changed compares two runs, in the order of targets. "" is a row that is not
// there.
func changed(before, after map[string]string) []change {
	var out []change
	for _, target := range sorted(after) {
		if was, there := before[target]; !there || was != after[target] {
			out = append(out, change{target, was, after[target]})
		}
	}
	for _, target := range sorted(before) {
		if _, there := after[target]; !there {
			out = append(out, change{target, before[target], ""})
		}
	}
	return out
}

// differences prints what fails and what has changed.
func (w *watching) differences(t *trial, list []change) {
	for _, e := range t.errs {
		w.rowError(e)
	}
	if t.text != "" {
		fmt.Fprintln(w.Stdout, "FAIL", t.text)
	}
	for _, v := range t.misfits {
		w.misfit(t, v)
	}
	for _, c := range list {
		switch {
		case c.was == "":
			fmt.Fprintf(w.Stdout, "+ %s  %s\n", c.target, short(c.is, 70))
		case c.is == "":
			fmt.Fprintf(w.Stdout, "- %s  was %s\n", c.target, short(c.was, 66))
		default:
			fmt.Fprintf(w.Stdout, "~ %s  %s, was %s\n", c.target, short(c.is, 40), short(c.was, 40))
		}
	}
}

// gone prints rows that are no more.
func (w *watching) gone(before, after map[string]string) {
	for _, c := range changed(before, after) {
		if c.is == "" {
			fmt.Fprintf(w.Stdout, "- %s  was %s\n", c.target, short(c.was, 66))
		}
	}
}
