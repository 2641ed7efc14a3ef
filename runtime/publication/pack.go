// Package publication keeps published definitions in the store, so that all
// replicas run the same: the files of a workspace as one content-addressed
// pack, and the list of what was published when, by whom and why.
package publication

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// The bounds of a pack, checked where it is made and where it is taken in.
const (
	MaxFiles  = 10_000
	MaxFile   = 16 << 20 // bytes of one file
	MaxTotal  = 64 << 20 // bytes of all files
	MaxPacked = 10 << 20 // bytes of the pack
)

// ErrPack says that a pack is not fit to be published. Its text is for people.
var ErrPack = errors.New("the files cannot be published")

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPack, fmt.Sprintf(format, args...))
}

// Recorder is a file system that remembers what was read through it: the files
// of a workspace are those that loading it and running its tests read. It is
// safe for concurrent use.
type Recorder struct {
	fs.FS
	mu    sync.Mutex
	files map[string][]byte
}

// Record returns a Recorder over fsys.
func Record(fsys fs.FS) *Recorder { return &Recorder{FS: fsys, files: map[string][]byte{}} }

// ReadFile implements fs.ReadFileFS.
func (r *Recorder) ReadFile(name string) ([]byte, error) {
	raw, err := fs.ReadFile(r.FS, name)
	if err == nil {
		r.mu.Lock()
		r.files[name] = raw
		r.mu.Unlock()
	}
	return raw, err
}

// Pack packs what was read.
func (r *Recorder) Pack() (*Pack, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return New(r.files)
}

// Pack is the files of one workspace. It is immutable.
type Pack struct {
	Digest string // of names and contents, whatever way they are packed
	Files  int
	Size   int64  // of all files
	Raw    []byte // as it is sent and stored

	zip *zip.Reader
}

// New packs files by name.
func New(files map[string][]byte) (*Pack, error) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(files[name])
		}
		if err != nil {
			return nil, unfit("%s: %s", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, unfit("%s", err)
	}
	return Open(buf.Bytes())
}

// Open checks a pack that came from somewhere else, and reads it.
func Open(raw []byte) (*Pack, error) {
	if len(raw) > MaxPacked {
		return nil, unfit("together they have %d bytes when packed; at most %d are taken", len(raw), MaxPacked)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, unfit("the pack cannot be read: %s", err)
	}
	p := &Pack{Raw: raw, Files: len(z.File), zip: z}
	if p.Files == 0 {
		return nil, unfit("there are no definitions in this folder")
	}
	if p.Files > MaxFiles {
		return nil, unfit("there are %d of them; at most %d are taken", p.Files, MaxFiles)
	}
	seen := map[string]bool{}
	files := slices.SortedFunc(slices.Values(z.File), func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	hash := sha256.New()
	for _, f := range files {
		if err := checkName(f.Name); err != nil {
			return nil, err
		}
		if seen[strings.ToLower(f.Name)] {
			return nil, unfit("the name %q comes twice, perhaps in capitals", f.Name)
		}
		seen[strings.ToLower(f.Name)] = true
		if !f.Mode().IsRegular() {
			return nil, unfit("%q is not a plain file", f.Name)
		}
		if f.UncompressedSize64 > MaxFile {
			return nil, unfit("%q has %d bytes; a file may have %d", f.Name, f.UncompressedSize64, MaxFile)
		}
		if p.Size += int64(f.UncompressedSize64); p.Size > MaxTotal {
			return nil, unfit("together they have more than %d bytes", MaxTotal)
		}
		if err := add(hash, f); err != nil {
			return nil, unfit("%q cannot be read: %s", f.Name, err)
		}
	}
	p.Digest = hex.EncodeToString(hash.Sum(nil)[:16])
	return p, nil
}

// checkName refuses names that lead out of the workspace, or that some system
// reads as another name.
func checkName(name string) error {
	switch {
	case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00:") || len(name) > 1000:
		return unfit("%q is not a name of a file below the workspace", name)
	case strings.HasPrefix(name, ".") || strings.Contains(name, "/."):
		return unfit("%q is hidden; hidden files are no definitions", name)
	case path.Clean(name) != name:
		return unfit("%q is not a plain path", name)
	}
	return nil
}

// add puts name and content of f into hash. The size that the pack declares was
// checked, and the reader gives no more than it.
func add(hash io.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	head := binary.BigEndian.AppendUint32(nil, uint32(len(f.Name)))
	head = append(head, f.Name...)
	head = binary.BigEndian.AppendUint64(head, f.UncompressedSize64)
	if _, err := hash.Write(head); err != nil {
		return err
	}
	n, err := io.Copy(hash, io.LimitReader(r, MaxFile+1))
	if err == nil && uint64(n) != f.UncompressedSize64 {
		err = errors.New("it has another size than the pack says")
	}
	return err
}

// FS returns the files, for reading.
func (p *Pack) FS() fs.FS { return p.zip }
