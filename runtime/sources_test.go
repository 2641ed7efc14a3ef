package runtime_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const filesPipeline = `pipeline: lines
trigger:
  files: {connection: drop, path: "*.%s", format: %s, every: 20ms, stable_for: 20ms, after: {move_to: done}, on_bad_file: {move_to: bad}}
split: %s
key: [.k, .seq]
steps:
  - {send: target.put, map: out}
  - {send: keep.line, map: out}
`

func (s *site) lines(name string) []string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

func TestFilesToHTTPAndFile(t *testing.T) {
	for _, c := range []struct{ ext, format, split, text string }{
		{"csv", "csv", ".rows", "k,seq\na,1\na,2\nb,1\n"},
		{"ndjson", "ndjson", ".rows", "{\"k\":\"a\",\"seq\":1}\n{\"k\":\"a\",\"seq\":2}\n{\"k\":\"b\",\"seq\":1}\n"},
		{"json", "json", ".rows", `{"rows":[{"k":"a","seq":1},{"k":"a","seq":2},{"k":"b","seq":1}]}`},
	} {
		t.Run(c.format, func(t *testing.T) {
			s := newSite(t)
			s.write("drop.connection.yaml", "connection: drop\ntype: file\ndir: drop\n")
			s.write("keep.connection.yaml", "connection: keep\ntype: file\ndir: out\noperations:\n  line: {append: all.ndjson, repeat: safe}\n")
			split := c.split
			text := fmt.Sprintf(filesPipeline, c.ext, c.format, split)
			if c.format == "ndjson" {
				text = strings.Replace(text, "split: .rows\n", "", 1)
			}
			s.write("lines.pipeline.yaml", text)
			s.start()
			s.write("drop/one."+c.ext, c.text)
			s.until("three are delivered", func() bool { return s.balance().Delivered == 3 })
			// The same lines in another file are no news.
			s.write("drop/two."+c.ext, c.text)
			s.until("both files are moved", func() bool {
				done, err := os.ReadDir(filepath.Join(s.dir, "drop", "done"))
				return err == nil && len(done) == 2
			})
			b := s.settled()
			if b.Delivered != 3 || b.Duplicates != 3 || b.Dead != 0 {
				t.Errorf("balance %+v, want 3 delivered, 3 duplicates", b)
			}
			want := []string{`{"k":"a","seq":1}`, `{"k":"a","seq":2}`, `{"k":"b","seq":1}`}
			got := s.target.seen()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("the HTTP target got %q", got)
			}
			kept := s.lines("out/all.ndjson")
			slices.Sort(kept)
			if !slices.Equal(kept, want) {
				t.Errorf("the file holds %q", kept)
			}
		})
	}
}

func TestBadFilesAndBadLines(t *testing.T) {
	s := newSite(t)
	s.write("drop.connection.yaml", "connection: drop\ntype: file\ndir: drop\n")
	s.write("keep.connection.yaml", "connection: keep\ntype: file\ndir: out\noperations:\n  line: {append: all.ndjson, repeat: safe}\n")
	s.write("lines.pipeline.yaml", fmt.Sprintf(filesPipeline, "csv", "csv", ".rows"))
	s.start()
	s.write("drop/torn.csv", "k,seq\n\"a,1\n")
	s.write("drop/mixed.csv", "k,seq\na,1\n,2\nb,x\n")
	s.until("what can be done is done", func() bool { b := s.balance(); return b.Delivered == 2 && b.Dead == 1 && b.Open == 0 })
	s.until("the torn file is set aside", func() bool { _, err := os.Stat(filepath.Join(s.dir, "drop", "bad", "torn.csv")); return err == nil })
	if b := s.settled(); b.Unaccounted != 0 {
		t.Errorf("balance %+v", b)
	}
}

// feed is an ERP that lists changes in pages, with failures on order.
type feed struct {
	mu     sync.Mutex
	items  []map[string]any // changedAt grows
	asked  []string
	broken int // the next answers fail
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Query().Get("since")+"|"+r.URL.Query().Get("page"))
	if f.broken > 0 {
		f.broken--
		w.WriteHeader(502)
		return
	}
	since := r.URL.Query().Get("since")
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	var list []map[string]any
	for _, item := range f.items {
		if item["changedAt"].(string) >= since {
			list = append(list, item)
		}
	}
	const size = 3
	from, to := min(page*size, len(list)), min(page*size+size, len(list))
	out := map[string]any{"value": list[from:to]}
	if to < len(list) {
		out["next"] = fmt.Sprintf("/list?since=%s&page=%d", since, page+1)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (f *feed) add(n int, base time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range n {
		i := len(f.items)
		f.items = append(f.items, map[string]any{"k": "p", "seq": i + 1, "changedAt": base.Add(time.Duration(i) * time.Second).Format(time.RFC3339)})
	}
}

func TestPollWithCursorPagesOverlapAndFailures(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	f := &feed{}
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.add(8, base)
	f.broken = 1
	s.target.answer(func(_ int, r *http.Request, _ string) (int, string) { return 201, "" })
	erp := newHandler(t, f)
	s.write("erp.connection.yaml", "connection: erp\ntype: http\nbase_url: "+erp+`
allow_private: ["127.0.0.0/8"]
operations:
  list: {get: /list, query: {since: "{since}"}, items: .value, next: .next, repeat: safe}
`)
	s.write("poll.pipeline.yaml", `pipeline: poll
trigger:
  poll: {call: erp.list, every: 1s, max_pages: 10, cursor: {save: .changedAt, as: since, start: "2026-01-01T00:00:00Z", overlap: 2s}}
key: [.k, .seq]
order_by: .k
steps:
  - {send: target.put, map: out}
`)
	s.start()
	s.until("the first eight are delivered", func() bool { return s.balance().Delivered == 8 })
	f.mu.Lock()
	f.broken = 1
	f.mu.Unlock()
	f.add(4, base)
	s.until("four more are delivered", func() bool { return s.balance().Delivered == 12 })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	asked := len(f.asked)
	f.mu.Unlock()
	f.add(2, base)
	s.start()
	s.until("two more after a restart", func() bool { return s.balance().Delivered == 14 })
	b := s.settled()
	if b.Duplicates == 0 {
		t.Error("the overlap read nothing twice")
	}
	f.mu.Lock()
	first := f.asked[asked]
	f.mu.Unlock()
	if !strings.HasPrefix(first, "2026-03-01T00:00:09") {
		t.Errorf("after the restart it asked for %q, want the cursor less the overlap", first)
	}
	for i, body := range s.target.seen() {
		if want := fmt.Sprintf(`{"k":"p","seq":%d}`, i+1); body != want {
			t.Errorf("delivery %d is %s, want %s", i, body, want)
		}
	}
}

func newHandler(t *testing.T, h http.Handler) string {
	t.Helper()
	k := newTarget(t)
	k.Config.Handler = h
	return k.URL
}

// TestEventChains sends one message through three pipelines, one of which
// splits, and counts at the end of the chain.
func TestEventChains(t *testing.T) {
	s := newSite(t)
	s.write("order.schema.yaml", "schema: order@1\nfields:\n  k: {type: string, required: true}\n  seq: {type: integer, required: true}\n")
	s.write("in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.k, .seq]\ntrace_by: {k: .k}\nsteps:\n  - {emit: order@1}\n")
	s.write("one.pipeline.yaml", "pipeline: one\ntrigger: {event: order}\nkey: [.k, .seq]\norder_by: .k\ntrace_by: {k: .k}\nsteps:\n  - {send: target.put, map: out}\n")
	s.write("two.pipeline.yaml", "pipeline: two\ntrigger: {event: order}\nkey: [.k, .seq]\ntrace_by: {k: .k}\nwhen: data.seq > 1\nsteps:\n  - {send: target.put, map: out}\n")
	s.start()
	s.send("a", 1)
	s.send("a", 2)
	s.send("a", 2) // a repeat has no second effect anywhere
	b := s.settled()
	if got := len(s.target.seen()); got != 3 {
		t.Errorf("the target got %d, want 3: %q", got, s.target.seen())
	}
	// in: 2, one: 2, two: 1 and 1 filtered
	if b.Delivered != 5 || b.Filtered != 1 || b.Duplicates != 1 {
		t.Errorf("balance %+v", b)
	}
	keys := s.target.seenKeys()
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 3 {
		t.Errorf("idempotency keys are shared between pipelines: %q", keys)
	}
}

func TestScheduleEmits(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a minute to begin")
	}
	t.Parallel()
	s := newSite(t)
	s.write("tick.pipeline.yaml", "pipeline: tick\ntrigger: {schedule: {cron: \"* * * * *\", zone: UTC}}\nsteps:\n  - {send: target.put, with: {at: $run.now}}\n")
	s.start()
	deadline := time.Now().Add(75 * time.Second)
	for len(s.target.seen()) == 0 && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond) // the real clock decides
	}
	if got := s.target.seen(); len(got) != 1 || !strings.Contains(got[0], `"at":"20`) {
		t.Errorf("the schedule sent %q", got)
	}
}

// TestAFolderThatIsNotThereIsSaid: an unmounted share brings nothing and no
// error to any sender, so status has to tell, and the alert of sources.
func TestAFolderThatIsNotThereIsSaid(t *testing.T) {
	s := newSite(t)
	s.write("drop.connection.yaml", "connection: drop\ntype: file\ndir: drop\n")
	s.write("keep.connection.yaml", "connection: keep\ntype: file\ndir: out\noperations:\n  line: {append: all.ndjson, repeat: safe}\n")
	s.write("lines.pipeline.yaml", fmt.Sprintf(filesPipeline, "csv", "csv", ".rows"))
	s.start()
	failing := func() string {
		st, err := s.engine.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st.Pipelines["lines"].Failing
	}
	s.until("the folder is missed", func() bool { return strings.Contains(failing(), "the folder cannot be read") })
	s.write("drop/one.csv", "k,seq\na,1\n")
	s.until("it is there", func() bool { return failing() == "" && s.balance().Delivered == 1 })
}
