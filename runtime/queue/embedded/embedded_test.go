package embedded

import (
	"testing"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/queuetest"
)

// harness opens stores in directories of their own. A crash is the end of a
// store without the tidying that Close does.
func harness(opts Options) queuetest.Harness {
	return queuetest.Harness{
		Open: func(t *testing.T) queue.Driver {
			d, err := Open(t.Context(), t.TempDir(), opts)
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		Reopen: func(t *testing.T, d queue.Driver) queue.Driver {
			s := d.(*store)
			if err := s.shut(false); err != nil {
				t.Fatal(err)
			}
			d, err := Open(t.Context(), s.dir, s.opts)
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		Features: queuetest.Features{Hints: true},
	}
}

func TestConformance(t *testing.T) {
	queuetest.Exercise(t, harness(Options{}))
}

func TestConformanceProcess(t *testing.T) {
	queuetest.Exercise(t, harness(Options{Durability: Process}))
}

// Without a cache every lease and every look goes to the disk.
func TestConformanceWithoutCache(t *testing.T) {
	h := harness(Options{Durability: Process, CacheSize: 1})
	h.Features.Hints = false
	queuetest.Exercise(t, h)
}
