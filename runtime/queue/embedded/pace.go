package embedded

import (
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// pace slows down those who write tables in vain. Pebble begins again at once
// when a table could not be written, hundreds of times a second on a full disk,
// also while it is being opened.
type pace struct {
	wait func(time.Duration)
	mu   sync.Mutex
	next time.Duration // how long the next one who fails waits
}

const (
	shortestRest = 10 * time.Millisecond
	longestRest  = 2 * time.Second
)

// failed waits, longer from failure to failure.
func (p *pace) failed() {
	p.mu.Lock()
	rest := max(p.next, shortestRest)
	p.next = min(2*rest, longestRest)
	p.mu.Unlock()
	p.wait(rest)
}

func (p *pace) worked() {
	p.mu.Lock()
	p.next = 0
	p.mu.Unlock()
}

// pacedFS is a file system on which tables are written at a pace.
type pacedFS struct {
	vfs.FS
	pace *pace
}

func (f pacedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	if !strings.HasSuffix(name, ".sst") {
		return file, err
	}
	if err != nil {
		f.pace.failed()
		return nil, err
	}
	return &pacedFile{File: file, pace: f.pace}, nil
}

// pacedFile is a table that is being written. One failure is waited for once.
type pacedFile struct {
	vfs.File
	pace *pace
	over bool
}

func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, f.failed(err)
}

func (f *pacedFile) Sync() error {
	err := f.failed(f.File.Sync())
	if err == nil {
		f.pace.worked()
	}
	return err
}

func (f *pacedFile) failed(err error) error {
	if err != nil && !f.over {
		f.over = true
		f.pace.failed()
	}
	return err
}

// seldom says whether something is worth a line in the log: the first time, and
// then once in a while.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) now() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && time.Since(s.last) < 30*time.Second {
		return false
	}
	s.last = time.Now()
	return true
}
