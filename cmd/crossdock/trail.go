package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"crossdock/runtime"
	"crossdock/runtime/audit"
)

// trail is the audit log of a running crossdock. The zero trail records
// nothing: that of the demo.
type trail struct {
	log  *audit.Log
	path string
	key  []byte
}

// open opens the log in the state folder, and makes its key at the first start.
func (t *trail) open(state string, f runFlags) error {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	path := f.auditKey
	if path == "" {
		path = filepath.Join(state, auditKey)
	}
	var err error
	if t.key, err = audit.Key(path); err != nil {
		return err
	}
	t.path = filepath.Join(state, auditLog)
	t.log, err = audit.Open(t.path, t.key)
	return err
}

func (t *trail) close(log *slog.Logger) {
	if err := t.log.Close(); err != nil {
		log.Error("the audit log was not closed well", "error", err)
	}
}

// last reads the last n lines.
func (t *trail) last(n int) ([]audit.Line, error) {
	if t.log == nil {
		return []audit.Line{}, nil
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	lines, err := audit.Last(f, t.key, n)
	return lines, errors.Join(err, f.Close())
}

// switched records which definitions went live or were refused, whoever
// changed them.
func (t *trail) switched(before string, r runtime.Report, log *slog.Logger) {
	if t.log == nil {
		return
	}
	line := audit.Line{Who: "crossdock", What: "definitions", Of: r.Result, Before: before, After: r.Revision, Result: audit.Done, Why: "the folder changed, or a reload was asked for"}
	if r.Published > 0 {
		line.Why = fmt.Sprintf("the published revision r%d is wanted", r.Published)
	}
	if r.Result == "failed" {
		line.Result, line.Error = audit.Refused, r.Error
	}
	if _, err := t.log.Append(line); err != nil {
		log.Error("a change of the definitions was not written to the audit log", "error", err)
	}
}

// export writes the head of the log to a second place until ctx ends.
func (t *trail) export(ctx context.Context, f runFlags, log *slog.Logger) {
	if err := audit.Export(ctx, t.log, f.auditHead, f.auditEvery, log); err != nil {
		log.Error("the head of the audit log is not exported", "file", f.auditHead, "error", err)
	}
}
