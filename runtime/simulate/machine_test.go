package simulate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"

	"crossdock/dsl"
)

// TestMain sets the process up for many runs: what one of them leaves behind is
// small beside what the machine has, and the disk under a run need not last.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(3000)
		debug.SetMemoryLimit(1 << 30)
	}
	os.Exit(inMemory(m.Run))
}

// inMemory runs with the folders for temporary files in memory, where the system
// has a place for that.
func inMemory(do func() int) int {
	dir, err := os.MkdirTemp("/dev/shm", "simulate")
	if err != nil {
		return do()
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("TMPDIR", dir); err != nil {
		fmt.Fprintln(os.Stderr, "temporary files stay on disk:", err)
	}
	return do()
}

// book keeps what was compiled. All runs begin with the same definitions, and
// compiling them takes longer than the rest of a start.
type book struct {
	mu    sync.Mutex
	pages map[string]*dsl.Cache // by the text of the mapping, which is all that is edited
}

var loads = &book{pages: map[string]*dsl.Cache{}}

// page is what one process knows when it starts.
type page struct {
	*book
	text  string
	cache *dsl.Cache
	known bool
}

// of returns what is known of the definitions as they stand in a folder.
func (b *book) of(dir string) *page {
	raw, err := os.ReadFile(filepath.Join(dir, mappingFile))
	if err != nil {
		panic(err) // it is replaced in one step
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &page{book: b, text: string(raw), cache: &dsl.Cache{}}
	if c := b.pages[p.text]; c != nil {
		p.cache, p.known = c.Clone(), true
	}
	return p
}

// keep notes what the start has loaded.
func (p *page) keep() {
	if p.known {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[p.text] = p.cache.Clone()
}
