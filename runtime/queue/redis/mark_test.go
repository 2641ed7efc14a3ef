package redis

import (
	"errors"
	"strings"
	"testing"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// TestUpgradedStore: a replica of this release stops at its next call once a
// newer one has changed the layout, and does not start again.
func TestUpgradedStore(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server.URL(), Options{})
	defer d.Close()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	if err := server.Client().Set(t.Context(), d.keys.of("mark"), "2-ABCDEFGHIJKLMNOP", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("b")}}); !errors.Is(err, queue.ErrFailed) {
		t.Errorf("an older replica writes on: %v", err)
	}
	if again, err := Open(t.Context(), server.URL(), Options{}); err == nil || !strings.Contains(err.Error(), "newer crossdock") {
		if again != nil {
			again.Close()
		}
		t.Errorf("opened by an older release: %v", err)
	}
}

func TestMarks(t *testing.T) {
	if err := known(newMark()); err != nil {
		t.Error(err)
	}
	for mark, want := range map[string]string{
		"2-ABCDEFGHIJKLMNOP": "newer crossdock: it has format 2",
		"0-ABCDEFGHIJKLMNOP": "not one of crossdock",
		"ABCDEFGHIJKLMNOP":   "not one of crossdock",
		"":                   "not one of crossdock",
	} {
		if err := known(mark); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", mark, err, want)
		}
	}
}
