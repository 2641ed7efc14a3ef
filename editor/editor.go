// Package editor answers what an editor asks about a workspace while people
// type in it: what is wrong, what could stand here, what this is, where it is
// defined, who uses it, and what has to change when it gets another name.
//
// The answers come from the loader and the rules that run everything else. A
// Folder holds the unsaved texts of an editor over the files on disk; each
// question is asked of the workspace as it would be if they were saved. Places
// are those of dsl/diag; editor/lsp speaks the protocol.
//
// A Folder is not safe for concurrent use.
package editor

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
)

// Options say how workspaces are loaded.
type Options struct {
	Catalog     compile.Catalog
	Std         fs.FS  // the shipped library
	Environment string // whose variables are used; "" as lint does
}

// Folder is one workspace that is open in an editor.
type Folder struct {
	Dir string // on disk, absolute

	opt   Options
	files *overlay
	cache dsl.Cache
	state *State // nil: something has changed
	draft compile.Cache
	homes map[string]home // as they were last known
	trial compile.Cache   // of drafts in files that no client gets
}

// State is the workspace at one moment.
type State struct {
	Workspace *dsl.Workspace
	Findings  diag.List // what `crossdock lint` would print
	Took      time.Duration

	folder *Folder
	texts  map[string]*diag.Text
	index  *index
	views  *lint.View
	home   map[string]home
}

// Open opens the workspace in dir.
func Open(dir string, opt Options) *Folder {
	return &Folder{Dir: dir, opt: opt, files: newOverlay(os.DirFS(dir))}
}

// Path returns the slash-separated path of a file of this workspace; false where
// it stands outside.
func (f *Folder) Path(file string) (string, bool) {
	rel, err := filepath.Rel(f.Dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Edit sets the unsaved text of a file.
func (f *Folder) Edit(path string, text []byte) {
	f.files.set(path, text)
	f.state = nil
}

// Close forgets the unsaved text of a file: what is on disk counts again.
func (f *Folder) Close(path string) {
	f.files.remove(path)
	f.state = nil
}

// Changed says that something on disk may be different.
func (f *Folder) Changed() { f.state = nil }

// Fresh reports whether the last state is still that of now.
func (f *Folder) Fresh() bool { return f.state != nil }

// State loads the workspace, unless nothing has changed. The error is for a
// folder that cannot be read at all.
func (f *Folder) State() (*State, error) {
	if f.state != nil {
		return f.state, nil
	}
	began := time.Now()
	ws, list, err := dsl.Load(f.files, dsl.Options{Catalog: f.opt.Catalog, Std: f.opt.Std, Environment: f.opt.Environment, AnyEnvironment: true, Cache: &f.cache})
	if err != nil {
		return nil, err
	}
	f.state = &State{Workspace: ws, Findings: list, Took: time.Since(began), folder: f, texts: map[string]*diag.Text{}}
	return f.state, nil
}

// Text returns the text of a file, unsaved or on disk; those of the library
// begin with "std/". A file that cannot be read is empty.
func (s *State) Text(path string) *diag.Text {
	t := s.texts[path]
	if t == nil {
		raw, _ := s.folder.read(path)
		t = diag.NewText(raw)
		s.texts[path] = t
	}
	return t
}

func (f *Folder) read(path string) ([]byte, error) {
	if raw, err := f.files.ReadFile(path); err == nil {
		return raw, nil
	}
	if f.opt.Std != nil && len(path) > 4 && path[:4] == "std/" {
		return fs.ReadFile(f.opt.Std, path[4:])
	}
	return nil, fs.ErrNotExist
}
