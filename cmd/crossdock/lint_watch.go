package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/reload"
)

// settle is how long files have to be quiet before they are checked again:
// editors write a file in several steps.
const settle = 30 * time.Millisecond

// watchShows is how many findings a person who writes is shown at a time.
const watchShows = 20

// lintWatch checks the workspace, and again whenever a file below it changes,
// until ctx ends.
func (a *app) lintWatch(ctx context.Context, dir string, f lintFlags) error {
	w := &lintWatching{app: a, dir: dir, f: f, cache: &dsl.Cache{}}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	seen := reload.See(whole)
	if err := w.check(); err != nil {
		return watchError(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	err = reload.Watch(ctx, whole, runtime.StateDir, settle, quiet, seen, func() {
		if err := w.check(); err != nil {
			fmt.Fprintln(a.Stderr, "crossdock:", watchError(err))
		}
	})
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}

// lintWatching is what has to be remembered from one save to the next.
type lintWatching struct {
	*app
	dir    string
	f      lintFlags
	cache  *dsl.Cache
	checks int
	before diag.List
}

// check checks once and shows what was found: what came with the last save
// stands last, where it is seen however much there is.
func (w *lintWatching) check() error {
	began := time.Now()
	ws, list, err := loadAgain(w.dir, w.f.env, w.cache)
	if err != nil {
		return err
	}
	if list, err = withBaseline(list, w.dir, w.f.baseline); err != nil {
		return err
	}
	var fresh []int
	gone := 0
	if w.checks > 0 {
		fresh, gone = diag.Since(w.before, list)
	}
	w.before, w.checks = list, w.checks+1
	shown := leading(list, fresh, watchShows)
	took := time.Since(began)
	if w.terminal(w.Stdout) {
		fmt.Fprint(w.Stdout, "\x1b[H\x1b[2J\x1b[3J")
	}
	w.print(shown, w.dir, w.f.format)
	if more := len(list) - len(shown); more > 0 {
		fmt.Fprintf(w.Stdout, "%s more: `crossdock lint` shows them all\n", diag.Plural(more, "finding"))
	}
	what := "no findings"
	if len(list) > 0 {
		what = diag.Summary(list, filesOf(list))
	}
	if len(fresh)+gone > 0 {
		what += fmt.Sprintf("; %d new, %d gone", len(fresh), gone)
	}
	fmt.Fprintf(w.Stdout, "%s  %s checked in %s: %s\n", began.Format(time.TimeOnly), diag.Plural(ownFiles(ws), "file"), took.Round(time.Millisecond), what)
	return nil
}

// leading are at most n findings of list: those at the positions of fresh, then
// errors, then warnings; those that were there before in front of the fresh ones.
func leading(list diag.List, fresh []int, n int) diag.List {
	isFresh := make([]bool, len(list))
	for _, i := range fresh {
		isFresh[i] = true
	}
	first := make([]int, len(list))
	for i := range first {
		first[i] = i
	}
	rank := func(i int) int {
		switch {
		case isFresh[i]:
			return 0
		case list[i].Severity == diag.Error:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(first, func(a, b int) int { return rank(a) - rank(b) })
	first = first[:min(n, len(first))]
	slices.Sort(first) // as they are read
	var out, last diag.List
	for _, i := range first {
		if isFresh[i] {
			last = append(last, list[i])
		} else {
			out = append(out, list[i])
		}
	}
	return append(out, last...)
}

func watchError(err error) error {
	if e := (*exit)(nil); errors.As(err, &e) {
		return e
	}
	return failf(exitLoad, "%s", err)
}

func filesOf(list diag.List) int {
	files := map[string]bool{}
	for _, d := range list {
		files[d.Span.File] = true
	}
	return len(files)
}
