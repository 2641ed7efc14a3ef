package main

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/journal"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

// busyTop is a view of two pictures two seconds apart.
func busyTop() *topView {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	lane := func(name string, ready, leased, delayed, dead int, parked map[string]int, age time.Duration, note string) admin.Lane {
		return admin.Lane{LaneStat: queue.LaneStat{Lane: name, Ready: ready, Leased: leased, Delayed: delayed, Dead: dead, Parked: parked, Oldest: at.Add(-age)}, Note: note}
	}
	v := &topView{width: 80, height: 24}
	v.before = admin.Top{At: at.Add(-2 * time.Second), Ready: true,
		Lanes: []admin.Lane{lane("in/orders", 10, 0, 0, 1, nil, time.Second, "")},
		Totals: journal.Totals{Finished: map[string]float64{"in/orders": 100}, Calls: map[string]journal.Calls{"tms.post": {N: 50, Failed: 5, Seconds: 10}},
			Lag: map[string]journal.Calls{"orders": {N: 100, Seconds: 50}}}}
	v.now = admin.Top{At: at, Ready: true, Revision: "3f2a91c0de77", Generation: 3,
		Lanes: []admin.Lane{
			lane("in/orders", 12, 2, 0, 2, nil, 3*time.Second, ""),
			lane("in/a-pipeline-with-a-rather-long-name", 0, 0, 0, 0, nil, 0, "paused"),
			lane("out/tms.post", 0, 0, 4, 0, map[string]int{"tms.post fails and is cut off by its breaker": 40}, 90*time.Minute, ""),
		},
		Connections: []policy.Shown{{Name: "tms", Calls: 2, Places: 4, Operations: map[string]string{"get": "closed", "post": "open"}}},
		Totals: journal.Totals{Finished: map[string]float64{"in/orders": 121}, Calls: map[string]journal.Calls{"tms.post": {N: 60, Failed: 10, Seconds: 12.5}},
			Lag: map[string]journal.Calls{"orders": {N: 120, Seconds: 55}}},
		Dead:     map[string]int{"general": 1, "urgent": 1},
		Replicas: []runtime.Replica{{Host: "dock1", PID: 17, Revision: "3f2a91c0de77", Ready: true}, {Host: "dock2", PID: 9, Revision: "aa", Problem: "the secret tms is missing"}},
	}
	v.now.Lanes[1].Oldest = time.Time{}
	return v
}

// TestTopFrame compares a picture of 80x24 with the one in testdata.
func TestTopFrame(t *testing.T) {
	const golden = "testdata/top.txt"
	have := busyTop().frame()
	if *update {
		if err := os.WriteFile(golden, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if have != string(want) {
		t.Errorf("the picture is\n%s\nand was\n%s", have, want)
	}
}

// TestTopFits draws many rows into small windows.
func TestTopFits(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {100, 40}, {40, 12}, {200, 60}} {
		v := busyTop()
		v.width, v.height, v.live, v.colour = size[0], size[1], true, true
		for range 60 {
			v.now.Lanes = append(v.now.Lanes, v.now.Lanes[0])
			v.now.Connections = append(v.now.Connections, v.now.Connections[0])
		}
		lines := strings.Split(strings.TrimSuffix(v.frame(), "\n"), "\n")
		if size[1] >= 24 && len(lines) > size[1] {
			t.Errorf("%d lines in a window of %d", len(lines), size[1])
		}
		if size[1] >= 24 && !strings.Contains(lines[len(lines)-1], "q quit") {
			t.Errorf("the keys are not shown: %q", lines[len(lines)-1])
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(plain(l)); n > size[0] {
				t.Errorf("%d characters in a window of %d: %q", n, size[0], l)
			}
		}
		if got := strings.Count(v.screen(), "\r\n"); got >= size[1] {
			t.Errorf("the screen has %d lines, the window %d", got+1, size[1])
		}
	}
}

// plain is s without colours.
func plain(s string) string {
	for {
		i := strings.IndexByte(s, '\x1b')
		if i < 0 {
			return s
		}
		j := strings.IndexByte(s[i:], 'm')
		s = s[:i] + s[i+j+1:]
	}
}

func TestTopKeys(t *testing.T) {
	v := busyTop()
	if v.key('p'); !v.held {
		t.Error("p does not hold")
	}
	if v.key('p'); v.held {
		t.Error("p does not go on")
	}
	first := func() string { return v.lanes()[0].name }
	for _, want := range []string{"out/tms.post", "in/orders", "in/a-pipeline-with-a-rather-long-name", "out/tms.post"} {
		v.key('s')
		if first() != want {
			t.Errorf("sorted by %s, the first is %s, want %s", sorts[v.sort], first(), want)
		}
	}
	if !v.key('q') || !v.key(3) || v.key('x') {
		t.Error("only q and Ctrl-C end it")
	}
}

func TestTopRates(t *testing.T) {
	v := busyTop()
	for _, l := range v.lanes() {
		if l.name != "in/orders" {
			continue
		}
		// 21 ended in 2 s, one of them dead, which stays; 16 are there and 11 were.
		if l.out != 10.5 || l.in != 12.5 || l.lag != 0.25 {
			t.Errorf("in %v, out %v, lag %v", l.in, l.out, l.lag)
		}
	}
}

func TestTopHoldsLastPicture(t *testing.T) {
	v := busyTop()
	was := v.now.At
	v.ask = func(context.Context) (admin.Top, error) { return admin.Top{}, context.Canceled }
	if v.look(context.Background()) == nil || v.now.At != was {
		t.Error("a picture that failed replaced the last one")
	}
}
