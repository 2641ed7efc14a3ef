// Package enginetest runs an engine in the process of a test: on real files and
// behind a real listener, with any store.
package enginetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"crossdock/dsl/diag"
	"crossdock/runtime"
)

// Write saves a file of a workspace as careful editors do: it is never seen half
// written.
func Write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// Start opens an engine, serves its webhooks on a free port unless opt says
// otherwise, and returns when it is ready. stop ends it and returns what Run
// came to; the end of the test does so at the latest.
func Start(t testing.TB, opt runtime.Options) (e *runtime.Engine, stop func() error) {
	t.Helper()
	if opt.HTTP == "" {
		opt.HTTP = "127.0.0.1:0"
	}
	e, err := runtime.New(context.Background(), opt)
	if err != nil {
		var list diag.List
		if errors.As(err, &list) {
			for _, f := range list {
				t.Log(f.Span.String(), f.Code, f.Message)
			}
		}
		t.Fatal(err)
	}
	if err := e.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	Until(t, "the engine is ready", e.Ready)
	return e, stop
}

// Until waits for what sockets or other processes bring about.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
		time.Sleep(2 * time.Millisecond) // nothing signals this
	}
}
