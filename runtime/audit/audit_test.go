package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/audit"
	"crossdock/runtime/disktest"
)

var key = bytes.Repeat([]byte{7}, sha256.Size)

func open(t *testing.T, path string) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func fillLog(t *testing.T, l *audit.Log, n int, who ...string) {
	t.Helper()
	for i := range n {
		if _, err := l.Append(audit.Line{Who: append(who, "anna")[0], What: "dead.replay", Of: fmt.Sprint("m", i), Why: `it's "mended" <now>`, Result: audit.Done}); err != nil {
			t.Fatal(err)
		}
	}
}

// sample writes a log of n lines and returns its bytes and its head.
func sample(t *testing.T, n int, who ...string) ([]byte, audit.Head) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path)
	fillLog(t, l, n, who...)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw, l.Head()
}

func verify(raw []byte, heads ...audit.Head) (audit.Summary, error) {
	return audit.Verify(bytes.NewReader(raw), key, heads)
}

func TestWholeLog(t *testing.T) {
	raw, head := sample(t, 40)
	s, err := verify(raw, head)
	if err != nil || s.Lines != 40 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := verify(nil); err != nil || s.Lines != 0 {
		t.Errorf("an empty log: %+v %v", s, err)
	}
	lines, err := audit.Last(bytes.NewReader(raw), key, 3)
	if err != nil || len(lines) != 3 || lines[2].Of != "m39" || lines[0].Why != `it's "mended" <now>` {
		t.Errorf("%+v %v", lines, err)
	}
}

// TestTampering makes 1,000 random changes to a log. All are found, and where
// a line was touched, at the first line that is not as it was.
func TestTampering(t *testing.T) {
	raw, head := sample(t, 40)
	whole := bytes.SplitAfter(raw, []byte("\n"))
	whole = whole[:len(whole)-1]
	other, _ := sample(t, 40, "bob")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		lines := make([][]byte, len(whole))
		for j := range whole {
			lines[j] = bytes.Clone(whole[j])
		}
		kind, first := i%8, 0
		at := r.IntN(len(lines))
		var bad []byte
		switch kind {
		case 0: // one bit
			first = at + 1
			lines[at][r.IntN(len(lines[at]))] ^= 1 << r.IntN(8)
		case 1: // a word
			first = at + 1
			lines[at] = bytes.Replace(lines[at], []byte("anna"), []byte("emma"), 1)
		case 2: // a line is gone; the last one is found by the head
			first = at + 1
			lines = append(lines[:at], lines[at+1:]...)
		case 3: // two lines change places
			other := (at + 1 + r.IntN(len(lines)-1)) % len(lines)
			first = min(at, other) + 1
			lines[at], lines[other] = lines[other], lines[at]
		case 4: // lines at the end are gone
			first = at + 1
			lines = lines[:at]
		case 5: // a line twice
			first = at + 2
			lines = append(lines[:at+1], append([][]byte{whole[at]}, lines[at+1:]...)...)
		case 6: // a line of another log with the same key
			first = max(at+1, 2) // the first line follows nothing, the second one does
			lines[at] = bytes.SplitAfter(other, []byte("\n"))[at]
		case 7: // cut anywhere
			bad = bytes.Join(lines, nil)
			bad = bad[:r.IntN(len(bad))]
			first = bytes.Count(bad, []byte("\n")) + 1
		}
		if bad == nil {
			bad = bytes.Join(lines, nil)
		}
		if bytes.Equal(bad, raw) {
			t.Fatalf("try %d changed nothing", i)
		}
		_, err := verify(bad, head)
		var f *audit.Fault
		if !errors.As(err, &f) {
			t.Fatalf("try %d of kind %d at line %d is not found: %v", i, kind, at+1, err)
		}
		if f.Line > int64(first) {
			t.Errorf("try %d of kind %d: found at line %d, changed at line %d", i, kind, f.Line, first)
		}
		if kind == 1 && f.Line != int64(first) {
			t.Errorf("try %d: line %d named, line %d changed", i, f.Line, first)
		}
	}
}

// TestWholeRewrite: a log written anew with the right key does not fit a head
// that was exported before.
func TestWholeRewrite(t *testing.T) {
	_, head := sample(t, 10)
	forged, _ := sample(t, 12, "bob")
	if _, err := verify(forged); err != nil {
		t.Fatal(err)
	}
	var f *audit.Fault
	if _, err := verify(forged, head); !errors.As(err, &f) || f.Line != 10 {
		t.Errorf("got %v", err)
	}
	head.Seq = 9
	if _, err := verify(forged, head); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("a head that was changed: %v", err)
	}
	if _, err := audit.Verify(bytes.NewReader(forged), bytes.Repeat([]byte{8}, 32), nil); err == nil {
		t.Error("another key fits")
	}
}

func TestGoesOnAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path)
	fillLog(t, l, 3)
	if _, err := audit.Open(path, key); err == nil {
		t.Error("two have the log open")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(audit.Line{What: "x"}); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("after Close: %v", err)
	}
	l = open(t, path)
	fillLog(t, l, 2)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := verify(raw, l.Head()); err != nil || s.Lines != 5 {
		t.Errorf("%+v %v", s, err)
	}
}

// TestFullDisk: a line for which there is no room is refused and leaves
// nothing behind; once there is room the log goes on by itself.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "64k")
	path := filepath.Join(dir, "audit.log")
	l := open(t, path)
	line := audit.Line{Who: "anna", What: "dead.replay", Result: audit.Done}
	written := 0
	for ; written < 1000; written++ {
		if _, err := l.Append(line); err != nil {
			if !errors.Is(err, audit.ErrBroken) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			break
		}
	}
	if written == 0 || written == 1000 {
		t.Fatalf("%d lines on a disk of 64 KiB", written)
	}
	for range 3 {
		if _, err := l.Append(line); !errors.Is(err, audit.ErrBroken) {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := verify(raw, l.Head()); err != nil || s.Lines != int64(written) {
		t.Errorf("while full: %+v %v, written %d", s, err, written)
	}
	disktest.Change(t, dir, "size=256k")
	fillLog(t, l, 20)
	if raw, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if s, err := verify(raw, l.Head()); err != nil || s.Lines != int64(written+20) {
		t.Errorf("with room again: %+v %v, want %d lines", s, err, written+20)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestUnfinishedLine: what a crash left is removed, and said.
func TestUnfinishedLine(t *testing.T) {
	whole, _ := sample(t, 3)
	end := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := end + 1; cut < len(whole); cut += 7 {
		path := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		fillLog(t, open(t, path), 1)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := audit.Last(bytes.NewReader(raw), key, 0)
		if err != nil || len(lines) != 4 || lines[2].What != "audit.mended" {
			t.Fatalf("cut at %d: %+v %v", cut, lines, err)
		}
	}
}

// TestNothingIsAddedToAForeignEnd: a log whose end is not its own is left as
// it is, for people to look at.
func TestNothingIsAddedToAForeignEnd(t *testing.T) {
	raw, _ := sample(t, 3)
	path := filepath.Join(t.TempDir(), "audit.log")
	raw[len(raw)-10] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(path, key); err == nil || !strings.Contains(err.Error(), "crossdock audit verify") {
		t.Errorf("got %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(raw, after) {
		t.Error("the log was changed")
	}
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if _, err := l.Append(audit.Line{What: "x", Why: strings.Repeat("y", 5000), Result: audit.Done}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := verify(raw, l.Head()); err != nil || s.Lines != 80 || len(raw) > 80*1500 {
		t.Errorf("%+v %v, %d bytes", s, err, len(raw))
	}
}

func TestKeyIsForTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.key")
	first, err := audit.Key(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := audit.Key(path)
	if err != nil || !bytes.Equal(first, again) || len(first) != 32 {
		t.Errorf("%x %x %v", first, again, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Key(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key for all: %v", err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Key(path); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a bad key: %v", err)
	}
}

// TestExport: heads go to a second place while the log grows, and find what
// was cut off later.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	path, second := filepath.Join(dir, "audit.log"), filepath.Join(dir, "heads")
	l := open(t, path)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- audit.Export(ctx, l, second, time.Minute, slog.New(slog.DiscardHandler)) }()
		fillLog(t, l, 2)
		time.Sleep(61 * time.Second)
		fillLog(t, l, 2)
		time.Sleep(10 * time.Minute)
		fillLog(t, l, 1)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	f, err := os.Open(second)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	heads, err := audit.ReadHeads(f)
	if err != nil || len(heads) < 3 || len(heads) > 4 || heads[len(heads)-1].Seq != 5 {
		t.Fatalf("%+v %v", heads, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify(raw, heads...); err != nil {
		t.Error(err)
	}
	shorter := raw[:bytes.LastIndexByte(raw[:len(raw)-1], '\n')+1]
	if _, err := verify(shorter); err != nil {
		t.Errorf("without heads a shorter log is whole: %v", err)
	}
	var fault *audit.Fault
	if _, err := verify(shorter, heads...); !errors.As(err, &fault) || fault.Line != 5 {
		t.Errorf("got %v", err)
	}
	if err := audit.Export(t.Context(), l, filepath.Join(dir, "none", "heads"), time.Minute, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a second place that is not there")
	}
}
