package runtime

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"crossdock/dsl"
	"crossdock/dsl/diag"
)

// A revision that went live is kept in the state folder, with every file that
// was read for it, so that a start which meets a faulty edit has the last good
// one to run.
const lastGoodDir = "last-good"

// maxKeptFile bounds one file of a kept revision.
const maxKeptFile = 16 << 20

// recorder is a file system that remembers what was read through it.
type recorder struct {
	fs.FS
	mu    sync.Mutex
	files map[string][]byte
}

func record(fsys fs.FS) *recorder { return &recorder{FS: fsys, files: map[string][]byte{}} }

// ReadFile implements fs.ReadFileFS.
func (r *recorder) ReadFile(name string) ([]byte, error) {
	raw, err := fs.ReadFile(r.FS, name)
	if err == nil && len(raw) <= maxKeptFile {
		r.mu.Lock()
		r.files[name] = raw
		r.mu.Unlock()
	}
	return raw, err
}

// keepGood keeps the files of the revision that went live. A failure is told
// and changes nothing else: only a later start with faulty definitions would
// miss them.
func (e *Engine) keepGood() {
	if e.read == nil {
		return
	}
	if err := e.read.write(e.opt.State); err != nil {
		e.log.Warn("the last good revision cannot be kept on disk", "error", err)
	}
	e.read = nil
}

// makeState makes the state folder, where nothing else needed it before.
func (e *Engine) makeState() {
	if e.read == nil {
		return
	}
	if err := os.MkdirAll(e.opt.State, 0o700); err != nil {
		e.log.Warn("the last good revision cannot be kept on disk", "error", err)
		e.read = nil
	}
}

// keepStarted keeps the files of the revision that was started, unless that was
// done. Readiness does not wait for it: with many definitions it takes longer
// than anything else that a start writes.
func (e *Engine) keepStarted() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keepGood()
}

func (r *recorder) write(state string) error {
	next, kept := filepath.Join(state, lastGoodDir+".new"), filepath.Join(state, lastGoodDir)
	if r.keeps(kept) {
		return nil
	}
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	if err := os.Mkdir(next, 0o700); err != nil {
		return err
	}
	made := map[string]bool{next: true}
	for name, raw := range r.files {
		path := filepath.Join(next, filepath.FromSlash(name))
		if err := folders(filepath.Dir(path), made); err != nil {
			return err
		}
		old := filepath.Join(kept, filepath.FromSlash(name))
		if same(old, raw) && os.Link(old, path) == nil {
			continue // a file is never written twice, so it may have two names
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(kept); err != nil {
		return err
	}
	return os.Rename(next, kept)
}

// folders makes a folder and those above it, up to one that was made. A state
// folder that went away with its workspace does not come back.
func folders(dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := folders(filepath.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	return os.Mkdir(dir, 0o700)
}

// keeps reports whether dir holds just the files that were read.
func (r *recorder) keeps(dir string) bool {
	n, others := 0, false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		raw, read := r.files[filepath.ToSlash(name)]
		if !read || !same(path, raw) {
			others = true
			return fs.SkipAll
		}
		n++
		return nil
	})
	return err == nil && !others && n == len(r.files)
}

// same reports whether a file holds raw.
func same(path string, raw []byte) bool {
	if info, err := os.Stat(path); err != nil || info.Size() != int64(len(raw)) {
		return false
	}
	held, err := os.ReadFile(path)
	return err == nil && bytes.Equal(held, raw)
}

// loadGood loads the last good revision; ok is false where there is none that
// still loads.
func (e *Engine) loadGood() (ws *dsl.Workspace, ok bool) {
	state := e.opt.State
	for _, name := range []string{lastGoodDir, lastGoodDir + ".new"} {
		dir := filepath.Join(state, name)
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		ws, list, err := dsl.Load(os.DirFS(dir), e.loading())
		if err == nil && !list.HasErrors() {
			return ws, true
		}
	}
	return nil, false
}

// startWith chooses what a start runs: the definitions on disk, or the last
// good ones where those are faulty.
func (e *Engine) startWith(ws *dsl.Workspace, list diag.List) (*dsl.Workspace, Report, error) {
	if !list.HasErrors() {
		return ws, Report{Result: "started", Findings: list}, nil
	}
	good, ok := e.loadGood()
	if !ok {
		return nil, Report{}, list
	}
	n, _ := list.Count()
	e.read = nil
	e.log.Error("the definitions are not fit to run; the last good revision starts instead", "errors", n, "revision", good.Revision)
	for _, f := range list {
		if f.Severity == diag.Error {
			e.log.Error("finding", "code", f.Code, "place", f.Span.String(), "message", f.Message, "hint", f.Hint)
		}
	}
	return good, Report{Result: "failed", Findings: list,
		Error: fmt.Sprintf("the definitions have %d errors; the last good revision was started", n)}, nil
}
