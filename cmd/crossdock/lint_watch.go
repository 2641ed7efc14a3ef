package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/reload"
)

// settle is how long files have to be quiet before they are checked again:
// editors write a file in several steps.
const settle = 30 * time.Millisecond

// lintWatch checks the workspace, and again whenever a file below it changes,
// until ctx ends.
func (a *app) lintWatch(ctx context.Context, dir string, f lintFlags) error {
	cache := &dsl.Cache{}
	check := func() error {
		began := time.Now()
		ws, list, err := loadAgain(dir, f.env, cache)
		if err != nil {
			return err
		}
		if list, err = withBaseline(list, dir, f.baseline); err != nil {
			return err
		}
		took := time.Since(began)
		if a.terminal(a.Stdout) {
			fmt.Fprint(a.Stdout, "\x1b[H\x1b[2J\x1b[3J")
		}
		a.print(list, dir, f.format)
		what := "no findings"
		if len(list) > 0 {
			what = diag.Summary(list, filesOf(list))
		}
		fmt.Fprintf(a.Stdout, "%s  %s checked in %s: %s\n", began.Format(time.TimeOnly), diag.Plural(len(ws.Files), "file"), took.Round(time.Millisecond), what)
		return nil
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	seen := reload.See(whole)
	if err := check(); err != nil {
		return watchError(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	err = reload.Watch(ctx, whole, runtime.StateDir, settle, quiet, seen, func() {
		if err := check(); err != nil {
			fmt.Fprintln(a.Stderr, "crossdock:", watchError(err))
		}
	})
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
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
