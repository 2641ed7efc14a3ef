package embedded

import (
	"bytes"
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
	if testing.Short() {
		t.Skip("the level of durability changes little of what the suite sees")
	}
	queuetest.Exercise(t, harness(Options{Durability: Process}))
}

// Without a cache every lease and every look goes to the disk.
func TestConformanceWithoutCache(t *testing.T) {
	h := harness(Options{Durability: Process, CacheSize: 1})
	h.Features.Hints = false
	queuetest.Exercise(t, h)
}

// A body of any size is a body.
func TestHugeBody(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Options{CacheSize: 1})
	c := one("huge")
	c.Jobs[0].Body = bytes.Repeat([]byte("0123456789abcdef"), 40<<20/16)
	mustApply(t, s, c)
	mustApply(t, s, one("after"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir, Options{})
	ls := leaseNow(t, s, 2)
	if len(ls) != 2 || !bytes.Equal(ls[0].Body, c.Jobs[0].Body) {
		t.Fatal("a body of 40 MiB did not come back as it was")
	}
	mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: ls[0]}, {Lease: ls[1]}}})
}
