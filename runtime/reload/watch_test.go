package reload_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossdock/runtime/reload"
)

// watched runs a watch on dir and returns the channel of its calls.
func watched(t *testing.T, dir string, debounce time.Duration) chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	calls := make(chan struct{}, 1000)
	ended, seen := make(chan error, 1), reload.See(dir)
	go func() {
		ended <- reload.Watch(ctx, dir, ".crossdock", debounce, slog.New(slog.DiscardHandler), seen, func() { calls <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	// The watch is up once it reports a change.
	probe := filepath.Join(dir, "probe.yaml")
	for i := 0; ; i++ {
		put(t, probe, time.Now().String())
		select {
		case <-calls:
			quiet(t, calls)
			return calls
		case <-time.After(100 * time.Millisecond):
			if i > 50 {
				t.Fatal("the watch reports nothing")
			}
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// called waits for a call that comes quicker than the slow look could bring it.
func called(t *testing.T, calls chan struct{}) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(3 * time.Second):
		t.Fatal("the change was not seen within 3 s")
	}
}

// quiet empties calls and makes sure that no more come.
func quiet(t *testing.T, calls chan struct{}) int {
	t.Helper()
	n := 0
	for {
		select {
		case <-calls:
			n++
		case <-time.After(300 * time.Millisecond):
			return n
		}
	}
}

func TestWatchSees(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		before func(t *testing.T, dir string)
		change func(t *testing.T, dir string)
	}{
		{"a new file", nil, func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x") }},
		{"a save in place", func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x") }, func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "y") }},
		{"a save by renaming", func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x") }, func(t *testing.T, dir string) {
			put(t, dir+"/.a.yaml.swp", "y")
			must(t, os.Rename(dir+"/.a.yaml.swp", dir+"/a.yaml"))
		}},
		{"a deleted file", func(t *testing.T, dir string) { put(t, dir+"/a.yaml", "x") }, func(t *testing.T, dir string) { must(t, os.Remove(dir+"/a.yaml")) }},
		{"a file in a folder", func(t *testing.T, dir string) { put(t, dir+"/p/a.yaml", "x") }, func(t *testing.T, dir string) { put(t, dir+"/p/a.yaml", "y") }},
		{"a new folder with a file", nil, func(t *testing.T, dir string) { put(t, dir+"/new/deep/a.yaml", "x") }},
		{"a folder that is renamed", func(t *testing.T, dir string) { put(t, dir+"/p/a.yaml", "x") }, func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/p", dir+"/q"))
		}},
		{"a deleted folder", func(t *testing.T, dir string) { put(t, dir+"/p/a.yaml", "x") }, func(t *testing.T, dir string) { must(t, os.RemoveAll(dir+"/p")) }},
		{"mounted configuration that is switched", func(t *testing.T, dir string) {
			put(t, dir+"/..2026_1/a.yaml", "x")
			put(t, dir+"/..2026_2/a.yaml", "y")
			must(t, os.Symlink("..2026_1", dir+"/..data"))
			must(t, os.Symlink("..data/a.yaml", dir+"/a.yaml"))
		}, func(t *testing.T, dir string) {
			must(t, os.Symlink("..2026_2", dir+"/..data_tmp"))
			must(t, os.Rename(dir+"/..data_tmp", dir+"/..data"))
		}},
		{"equal size and time", func(t *testing.T, dir string) {
			put(t, dir+"/a.yaml", "x")
			must(t, os.Chtimes(dir+"/a.yaml", time.Unix(1, 0), time.Unix(1, 0)))
		}, func(t *testing.T, dir string) {
			put(t, dir+"/b", "y")
			must(t, os.Chtimes(dir+"/b", time.Unix(1, 0), time.Unix(1, 0)))
			must(t, os.Rename(dir+"/b", dir+"/a.yaml"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.before != nil {
				c.before(t, dir)
			}
			calls := watched(t, dir, 30*time.Millisecond)
			c.change(t, dir)
			called(t, calls)
		})
	}
}

func TestWatchFollowsASwitchedWorkspace(t *testing.T) {
	home := t.TempDir()
	put(t, home+"/v1/a.yaml", "x")
	put(t, home+"/v2/a.yaml", "y")
	if err := os.Symlink("v1", home+"/now"); err != nil {
		t.Fatal(err)
	}
	calls := watched(t, home+"/now", 30*time.Millisecond)
	if err := os.Symlink("v2", home+"/next"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(home+"/next", home+"/now"); err != nil {
		t.Fatal(err)
	}
	called(t, calls)
	quiet(t, calls)
	put(t, home+"/v2/a.yaml", "z")
	called(t, calls)
}

func TestWatchGathersABurst(t *testing.T) {
	dir := t.TempDir()
	calls := watched(t, dir, 100*time.Millisecond)
	for i := range 200 {
		put(t, filepath.Join(dir, "p", string(rune('a'+i%26))+".yaml"), time.Now().String())
	}
	called(t, calls)
	if more := quiet(t, calls); more > 3 {
		t.Errorf("a burst of 200 writes called %d more times", more)
	}
}

func TestWatchLeavesItsOwnFilesAlone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/.crossdock/store/1", "x")
	put(t, dir+"/.git/index", "x")
	calls := watched(t, dir, 30*time.Millisecond)
	put(t, dir+"/.crossdock/store/2", "y")
	put(t, dir+"/.git/index", "y")
	if n := quiet(t, calls); n != 0 {
		t.Errorf("it was called %d times", n)
	}
}

// TestWatchIsNotHeldUpByNeighbours: the folder beside the workspace is busy
// all the time, as /tmp and home folders are.
func TestWatchIsNotHeldUpByNeighbours(t *testing.T) {
	home := t.TempDir()
	put(t, home+"/ws/a.yaml", "x")
	calls := watched(t, home+"/ws", 100*time.Millisecond)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				_ = os.WriteFile(home+"/busy", []byte(time.Now().String()), 0o644)
			}
		}
	}()
	put(t, home+"/ws/a.yaml", "y")
	called(t, calls)
	close(stop)
	<-ended
}

// TestWatchSeesWhatChangedBefore: between the reading of a folder and its watch
// there is a moment, and nothing that is saved in it is missed.
func TestWatchSeesWhatChangedBefore(t *testing.T) {
	for _, changes := range []bool{true, false} {
		dir := t.TempDir()
		seen := reload.See(dir)
		if changes {
			if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("a: 1"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		calls, ended := make(chan struct{}, 10), make(chan error, 1)
		go func() {
			ended <- reload.Watch(ctx, dir, ".crossdock", time.Millisecond, slog.New(slog.DiscardHandler), seen, func() { calls <- struct{}{} })
		}()
		if changes {
			<-calls
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if n := len(calls); n > 0 {
			t.Errorf("%d more calls", n)
		}
	}
}
