// Package pipelines holds the flows that ship with crossdock. A workspace takes
// one in by naming it below `use:` in crossdock.yaml; the others stay out.
package pipelines

import (
	"embed"
	"errors"
	"io/fs"

	"crossdock/mappings"
)

// FS holds the definition files of the shipped flows, read-only.
//
//go:embed journal
var FS embed.FS

// Library returns everything that ships with crossdock, flows and mappings, as
// the loader wants it: the definitions whose names begin with std/.
func Library() fs.FS { return library{mappings.FS, FS} }

// library is several file systems seen as one; the first that has a file wins.
type library []fs.FS

// Open implements fs.FS.
func (l library) Open(name string) (fs.File, error) {
	var last error
	for _, one := range l {
		f, err := one.Open(name)
		if err == nil {
			return f, nil
		}
		last = err
	}
	return nil, last
}

// ReadDir implements fs.ReadDirFS.
func (l library) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	found := false
	for _, one := range l {
		entries, err := fs.ReadDir(one, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = true
		all = append(all, entries...)
	}
	if !found {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return all, nil
}
