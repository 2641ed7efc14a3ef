package editor

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// overlay is a file system in which some texts are not saved yet. What was read
// from disk is kept as long as its size and time of change are the same.
type overlay struct {
	disk  fs.FS
	texts map[string][]byte

	mu   sync.Mutex // definitions are loaded in parallel
	read map[string]kept
}

type kept struct {
	size int64
	at   time.Time
	raw  []byte
}

func newOverlay(disk fs.FS) *overlay {
	return &overlay{disk: disk, texts: map[string][]byte{}, read: map[string]kept{}}
}

func (o *overlay) set(name string, text []byte) { o.texts[name] = text }

func (o *overlay) remove(name string) { delete(o.texts, name) }

// Open implements fs.FS.
func (o *overlay) Open(name string) (fs.File, error) {
	if text, ok := o.texts[name]; ok {
		return &unsaved{info: info{path.Base(name), int64(len(text)), false}, Reader: bytes.NewReader(text)}, nil
	}
	f, err := o.disk.Open(name)
	if err != nil && o.holds(name) {
		return &unsaved{info: info{path.Base(name), 0, true}, Reader: bytes.NewReader(nil)}, nil
	}
	return f, err
}

// Stat implements fs.StatFS.
func (o *overlay) Stat(name string) (fs.FileInfo, error) {
	if text, ok := o.texts[name]; ok {
		return info{path.Base(name), int64(len(text)), false}, nil
	}
	i, err := fs.Stat(o.disk, name)
	if err != nil && o.holds(name) {
		return info{path.Base(name), 0, true}, nil
	}
	return i, err
}

// ReadFile implements fs.ReadFileFS.
func (o *overlay) ReadFile(name string) ([]byte, error) {
	if text, ok := o.texts[name]; ok {
		return text, nil
	}
	i, err := fs.Stat(o.disk, name)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	k, ok := o.read[name]
	o.mu.Unlock()
	if ok && k.size == i.Size() && k.at.Equal(i.ModTime()) {
		return k.raw, nil
	}
	raw, err := fs.ReadFile(o.disk, name)
	if err == nil {
		o.mu.Lock()
		o.read[name] = kept{i.Size(), i.ModTime(), raw}
		o.mu.Unlock()
	}
	return raw, err
}

// ReadDir implements fs.ReadDirFS.
func (o *overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.disk, name)
	for text := range o.texts {
		rest, below := text, true
		if name != "." {
			rest, below = strings.CutPrefix(text, name+"/")
		}
		if !below {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == first }) {
			entries = append(entries, fs.FileInfoToDirEntry(info{first, 0, deeper}))
			err = nil
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// holds reports whether a folder exists only because of an unsaved text.
func (o *overlay) holds(name string) bool {
	for text := range o.texts {
		if strings.HasPrefix(text, name+"/") {
			return true
		}
	}
	return false
}

// unsaved is an open text.
type unsaved struct {
	info
	*bytes.Reader
}

func (u *unsaved) Stat() (fs.FileInfo, error) { return u.info, nil }
func (u *unsaved) Close() error               { return nil }
func (u *unsaved) Size() int64                { return u.info.size }

var _ io.Reader = (*unsaved)(nil)

// info is what there is to know of an unsaved text or its folder.
type info struct {
	name string
	size int64
	dir  bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
