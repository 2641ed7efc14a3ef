package runtime

import (
	"strings"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func TestKnownStore(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	n := &note{Address: "redis://h:6379", Mark: "m"}
	for i := range 60 { // ten jobs every second for a minute
		n.add(now.Add(time.Duration(i)*time.Second), uint64(i+1)*10)
	}
	if len(n.Seen) > 33 {
		t.Errorf("%d sights are kept", len(n.Seen))
	}
	fresh := &note{Address: "redis://h:6379", Mark: "m", Seen: []sight{{now.Add(-time.Hour), 599}, {now, 600}}}
	for _, c := range []struct {
		name, address string
		note          *note
		id            queue.Identity
		want          string
		fatal         bool
	}{
		{"nothing known", "redis://h:6379", nil, queue.Identity{Mark: "x"}, "", false},
		{"another address", "redis://other:6379", n, queue.Identity{Mark: "x"}, "", false},
		{"as it was", "redis://h:6379", n, queue.Identity{Mark: "m", Jobs: 600}, "", false},
		{"others went on", "redis://h:6379", n, queue.Identity{Mark: "m", Jobs: 9000}, "", false},
		{"another mark", "redis://h:6379", n, queue.Identity{Mark: "x", Jobs: 600}, "emptied or replaced", true},
		{"a crash", "redis://h:6379", n, queue.Identity{Mark: "m", Jobs: 570}, "lacks 30 of the messages", false},
		{"too much for a crash", "redis://h:6379", n, queue.Identity{Mark: "m", Jobs: 450}, "an older state", true},
		{"long ago", "redis://h:6379", n, queue.Identity{Mark: "m", Jobs: 5}, "an older state", true},
		{"the last of a quiet store", "redis://h:6379", fresh, queue.Identity{Mark: "m", Jobs: 599}, "lacks 1 of the messages", false},
	} {
		got := c.note.compare(c.address, c.id)
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %+v", c.name, got)
		case c.want != "" && (len(got) != 1 || got[0].Fatal != c.fatal || !strings.Contains(got[0].Message, c.want)):
			t.Errorf("%s: %+v, want %q, fatal %v", c.name, got, c.want, c.fatal)
		}
	}
	if got := address("rediss://user:secret@h:1/2?ca=/x"); got != "rediss://h:1/2" {
		t.Errorf("address %q", got)
	}
}
