package files_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/files"
	"crossdock/connectors/format/csv"
	"crossdock/runtime/message"
)

// put writes a file with a time of change that fits the clock of the test.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// run runs the source inside a synctest bubble for d.
func run(t *testing.T, c files.Config, q connectors.Channel, d time.Duration) {
	t.Helper()
	s, err := files.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx, q); err != nil {
		t.Fatal(err)
	}
}

func config(dir string, state *connectortest.State) files.Config {
	return files.Config{Name: "p", Dir: dir, Pattern: "/in/*.csv", Format: "csv", PerRecord: true, State: state,
		Every: 30 * time.Second, StableFor: 2 * time.Second, After: files.After{MoveTo: "/done"}, Bad: files.After{MoveTo: "bad"}}
}

func TestTakeIn(t *testing.T) {
	tests := []struct {
		name, file, text string
		change           func(*files.Config)
		want             []string // raw
		left             []string
		report           string
	}{
		{"csv per row", "in/a.csv", "k,v\n1,x\n2,y\n", nil, []string{`{"k":"1","v":"x"}`, `{"k":"2","v":"y"}`}, []string{"done/a.csv"}, ""},
		{"csv whole", "in/a.csv", "k\n1\n2\n", func(c *files.Config) { c.PerRecord = false }, []string{`{"name":"in/a.csv","rows":[{"k":"1"},{"k":"2"}]}`}, []string{"done/a.csv"}, ""},
		{"csv dialect", "in/a.csv", "k;v\n1;\xe9\n", func(c *files.Config) { c.CSV = csv.Options{Delimiter: ';', Encoding: "latin1"} }, []string{`{"k":"1","v":"é"}`}, []string{"done/a.csv"}, ""},
		{"ndjson", "in/a.ndjson", "{\"a\":1.10}\n\n[2]\n", func(c *files.Config) { c.Pattern, c.Format = "in/*.ndjson", "ndjson" }, []string{`{"a":1.10}`, `[2]`}, []string{"done/a.ndjson"}, ""},
		{"json", "in/a.json", " {\"a\":\n1}\n", func(c *files.Config) { c.Pattern, c.Format = "in/*.json", "json" }, []string{"{\"a\":\n1}"}, []string{"done/a.json"}, ""},
		{"text", "in/a.edi", "ISA*00~", func(c *files.Config) { c.Pattern, c.Format = "*/*.edi", "text" }, []string{"ISA*00~"}, []string{"done/a.edi"}, ""},
		{"delete", "in/a.csv", "k\n1\n", func(c *files.Config) { c.After = files.After{Delete: true} }, []string{`{"k":"1"}`}, nil, ""},
		{"keep", "in/a.csv", "k\n1\n", func(c *files.Config) { c.After = files.After{} }, []string{`{"k":"1"}`}, []string{"in/a.csv"}, ""},
		{"no rows", "in/a.csv", "k\n", nil, nil, []string{"done/a.csv"}, ""},
		{"one wrong row", "in/a.csv", "k,v\n1,x\n2\n3,z\n", nil, []string{`{"k":"1","v":"x"}`, `{"k":"3","v":"z"}`}, []string{"bad/a.csv", "bad/a.csv.error.txt"},
			"in/a.csv was not taken in completely.\n2 records were taken in, 1 were not:\n  line 3: the row has 1 fields, but there are 2 columns\n"},
		{"one wrong row of a whole", "in/a.csv", "k,v\n1,x\n2\n", func(c *files.Config) { c.PerRecord = false }, nil, []string{"bad/a.csv", "bad/a.csv.error.txt"}, "Nothing of it was taken in:\n  line 3"},
		{"broken csv", "in/a.csv", "k\n1\n\"2\n3\n", nil, []string{`{"k":"1"}`}, []string{"bad/a.csv", "bad/a.csv.error.txt"}, "line 3: the quote"},
		{"bad file stays", "in/a.csv", "", func(c *files.Config) { c.Bad = files.After{} }, nil, []string{"in/a.csv", "in/a.csv.error.txt"}, "the file is empty"},
		{"too large", "in/a.csv", "k\n1\n", func(c *files.Config) { c.MaxSize = 3 }, nil, []string{"bad/a.csv", "bad/a.csv.error.txt"}, "4 bytes; at most 3"},
		{"hidden", "in/.a.csv", "k\n1\n", nil, nil, []string{"in/.a.csv"}, ""},
		{"unfinished", "in/a.csv.part", "k\n1\n", func(c *files.Config) { c.Pattern = "in/*" }, nil, []string{"in/a.csv.part"}, ""},
		{"other name", "in/a.txt", "k\n1\n", nil, nil, []string{"in/a.txt"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				q, state := &connectortest.Queue{}, connectortest.NewState()
				c := config(dir, state)
				if tt.change != nil {
					tt.change(&c)
				}
				put(t, dir, tt.file, tt.text)
				run(t, c, q, 10*time.Minute)
				if !reflect.DeepEqual(q.Raws(), tt.want) {
					t.Errorf("got %q, want %q", q.Raws(), tt.want)
				}
				if got := list(t, dir); !reflect.DeepEqual(got, tt.left) {
					t.Errorf("files %v, want %v", got, tt.left)
				}
				if tt.report != "" {
					raw, err := os.ReadFile(filepath.Join(dir, tt.left[1]))
					if err != nil || !strings.Contains(string(raw), tt.report) {
						t.Errorf("report %q lacks %q", raw, tt.report)
					}
				}
				for i, m := range q.Taken() {
					f := m.Meta.File
					if f == nil || f.Name != tt.file || f.Size != int64(len(tt.text)) || len(f.SHA256) != 64 || len(m.ID) != 26 || m.Meta.Source != "files" {
						t.Errorf("message %d: %+v", i, m)
					}
				}
				// A restart brings nothing twice.
				calls := len(q.Taken())
				again := &connectortest.Queue{}
				run(t, c, again, 10*time.Minute)
				if len(again.Taken()) > 0 {
					t.Errorf("after a restart %d of %d messages came again", len(again.Taken()), calls)
				}
			})
		})
	}
}

// TestSettling: a file that still grows is left alone.
func TestSettling(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q := &connectortest.Queue{}
		c := config(dir, connectortest.NewState())
		c.Every = time.Second
		done := make(chan struct{})
		go func() {
			defer close(done)
			run(t, c, q, 20*time.Second)
		}()
		text := "k\n"
		for i := range 8 {
			text += fmt.Sprintln(i)
			put(t, dir, "in/a.csv", text)
			time.Sleep(1500 * time.Millisecond)
			if n := len(q.Taken()); n > 0 {
				t.Errorf("%d records were taken while the file grew", n)
			}
		}
		<-done
		if n := len(q.Taken()); n != 8 {
			t.Errorf("%d records", n)
		}
	})
}

func TestLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		put(t, outside, "secret.csv", "k\nsecret\n")
		put(t, dir, "in/real.csv", "k\n1\n")
		for name, to := range map[string]string{"out.csv": filepath.Join(outside, "secret.csv"), "inside.csv": "real.csv"} {
			if err := os.Symlink(to, filepath.Join(dir, "in", name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(outside, filepath.Join(dir, "away")); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, "in", "dir.csv"), 0o755); err != nil {
			t.Fatal(err)
		}
		q := &connectortest.Queue{}
		c := config(dir, connectortest.NewState())
		c.Pattern = "*/*.csv"
		run(t, c, q, time.Minute)
		if got := q.Raws(); !reflect.DeepEqual(got, []string{`{"k":"1"}`}) {
			t.Errorf("got %v", got)
		}
		if _, err := os.Stat(filepath.Join(outside, "secret.csv")); err != nil {
			t.Error(err)
		}
	})
}

func TestSameNames(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q, state := &connectortest.Queue{}, connectortest.NewState()
		for _, text := range []string{"k\n1\n", "k\n2\n", "k\n1\n"} {
			put(t, dir, "in/a.csv", text)
			run(t, config(dir, state), q, time.Minute)
		}
		if want := []string{"done/a-2.csv", "done/a-3.csv", "done/a.csv"}; !reflect.DeepEqual(list(t, dir), want) {
			t.Errorf("files %v", list(t, dir))
		}
		if len(q.Taken()) != 3 {
			t.Errorf("%d messages", len(q.Taken()))
		}
		if keys := state.Keys(); len(keys) > 0 {
			t.Errorf("still remembered: %v", keys)
		}
	})
}

// crash ends the process of a test source at some call.
type crash struct {
	*connectortest.Queue
	left   int
	after  bool // the batch is durable before the crash
	cancel context.CancelFunc
}

func (c *crash) Send(ctx context.Context, m ...message.Message) ([]connectors.Receipt, error) {
	if c.left--; c.left > 0 {
		return c.Queue.Send(ctx, m...)
	}
	if c.after {
		if _, err := c.Queue.Send(ctx, m...); err != nil {
			return nil, err
		}
	}
	c.cancel()
	return nil, context.Canceled
}

// TestCrashes: whenever the process dies, every record is taken exactly once.
func TestCrashes(t *testing.T) {
	const records = 1000
	var text strings.Builder
	text.WriteString("k\n")
	var want []string
	for i := range records {
		fmt.Fprintln(&text, i)
		want = append(want, fmt.Sprintf(`{"k":"%d"}`, i))
	}
	for _, after := range []bool{false, true} {
		for _, at := range []int{1, 2, 7, 16, 17, 33, 99, 100} {
			t.Run(fmt.Sprintf("batch %d, stored %t", at, after), func(t *testing.T) {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					q, state := &connectortest.Queue{}, connectortest.NewState()
					c := config(dir, state)
					c.Batch = 10
					put(t, dir, "in/a.csv", text.String())
					s, err := files.New(c)
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if err := s.Run(ctx, &crash{q, at, after, cancel}); err != nil {
						t.Fatal(err)
					}
					run(t, c, q, time.Minute)
					if !slices.Equal(q.Raws(), want) {
						t.Errorf("%d messages, want %d in order", len(q.Taken()), records)
					}
					if got := list(t, dir); !reflect.DeepEqual(got, []string{"done/a.csv"}) {
						t.Errorf("files %v", got)
					}
				})
			})
		}
	}
	t.Run("state fails at the end", func(t *testing.T) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			q, state := &connectortest.Queue{}, connectortest.NewState()
			c := config(dir, state)
			c.Every = time.Second
			put(t, dir, "in/a.csv", "k\n1\n")
			q.Judge = func([]message.Message) error { state.Fail(errors.New("down")); return nil }
			run(t, c, q, time.Minute)
			if len(q.Taken()) != 1 || !reflect.DeepEqual(list(t, dir), []string{"in/a.csv"}) {
				t.Errorf("while the state is away: %d messages, files %v", len(q.Taken()), list(t, dir))
			}
			q.Judge = nil
			state.Fail(nil)
			run(t, c, q, time.Minute)
			if len(q.Taken()) != 1 || !reflect.DeepEqual(list(t, dir), []string{"done/a.csv"}) {
				t.Errorf("then: %d messages, files %v", len(q.Taken()), list(t, dir))
			}
		})
	})
}

func TestStoreAway(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &connectortest.Queue{Judge: func([]message.Message) error {
			if time.Since(began) < 5*time.Minute {
				return errors.New("store down")
			}
			return nil
		}}
		put(t, dir, "in/a.csv", "k\n1\n")
		run(t, config(dir, connectortest.NewState()), q, 10*time.Minute)
		if len(q.Taken()) != 1 || q.Calls() > 30 {
			t.Errorf("%d messages in %d calls", len(q.Taken()), q.Calls())
		}
	})
}

// TestNoFileOvertakes: when the store fails at a file, those behind it wait.
func TestNoFileOvertakes(t *testing.T) {
	for at := 1; at <= 10; at++ {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			q := &connectortest.Queue{}
			state := &flaky{State: connectortest.NewState(), at: at}
			var want []string
			for i := range 5 {
				put(t, dir, fmt.Sprintf("in/%d.csv", i), fmt.Sprintf("k\n%d\n", i))
				want = append(want, fmt.Sprintf(`{"k":"%d"}`, i))
			}
			c := config(dir, state.State)
			c.State = state
			run(t, c, q, 10*time.Minute)
			if got := q.Raws(); !slices.Equal(got, want) {
				t.Errorf("the store fails at call %d: got %v", at, got)
			}
		})
	}
}

// TestForgottenLate: a file of the same content is a new one, also when the
// store could not be told that the first was put aside.
func TestForgottenLate(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q := &connectortest.Queue{}
		state := &flaky{State: connectortest.NewState(), at: 4} // look up, begin, end, forget
		c := config(dir, state.State)
		c.State = state
		put(t, dir, "in/a.csv", "k\n1\n")
		run(t, c, q, time.Minute)
		if got := list(t, dir); !reflect.DeepEqual(got, []string{"done/a.csv"}) || len(state.Keys()) != 1 {
			t.Fatalf("files %v, remembered %v", got, state.Keys())
		}
		put(t, dir, "in/a.csv", "k\n1\n")
		run(t, c, q, time.Minute)
		if len(q.Taken()) != 2 || q.Taken()[0].ID == q.Taken()[1].ID {
			t.Errorf("%d messages", len(q.Taken()))
		}
		if got := list(t, dir); !reflect.DeepEqual(got, []string{"done/a-2.csv", "done/a.csv"}) || len(state.Keys()) != 0 {
			t.Errorf("files %v, remembered %v", got, state.Keys())
		}
	})
}

// flaky is a store that fails once.
type flaky struct {
	*connectortest.State
	at int // which call fails
}

func (f *flaky) fails() error {
	if f.at--; f.at == 0 {
		return errors.New("the connection was reset")
	}
	return nil
}

func (f *flaky) Load(ctx context.Context, name string) ([]byte, error) {
	if err := f.fails(); err != nil {
		return nil, err
	}
	return f.State.Load(ctx, name)
}

func (f *flaky) Save(ctx context.Context, name string, raw []byte) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.State.Save(ctx, name, raw)
}

func TestRefusedRecords(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q := &connectortest.Queue{Judge: func(m []message.Message) error {
			for _, one := range m {
				if strings.Contains(string(one.Raw), "bad") {
					return &connectors.Rejection{Status: 422, Message: "not valid", Problems: []connectors.Problem{{Field: "k", Message: "is bad"}}}
				}
			}
			return nil
		}}
		put(t, dir, "in/a.csv", "k\n1\nbad1\n3\nbad2\n")
		run(t, config(dir, connectortest.NewState()), q, time.Minute)
		if got := q.Raws(); !reflect.DeepEqual(got, []string{`{"k":"1"}`, `{"k":"3"}`}) {
			t.Errorf("got %v", got)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "bad/a.csv.error.txt"))
		if err != nil || !strings.Contains(string(raw), "line 3: not valid: k: is bad\n  line 5: not valid") {
			t.Errorf("report %s (%v)", raw, err)
		}
	})
}

func TestConfig(t *testing.T) {
	state := connectortest.NewState()
	for _, c := range []files.Config{
		{Pattern: "", Format: "csv", State: state}, {Pattern: "[", Format: "csv", State: state}, {Pattern: "*", Format: "xml", State: state},
		{Pattern: "*", Format: "csv"}, {Pattern: "*", Format: "csv", State: state, After: files.After{MoveTo: "../x"}},
	} {
		if _, err := files.New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

func BenchmarkNDJSON(b *testing.B) {
	dir := b.TempDir()
	line := `{"pad":"` + strings.Repeat("x", 1500) + "\"}\n"
	if err := os.WriteFile(filepath.Join(dir, "a.ndjson"), []byte(strings.Repeat(line, b.N)), 0o644); err != nil {
		b.Fatal(err)
	}
	q := &count{want: b.N, done: make(chan struct{})}
	s, err := files.New(files.Config{Name: "p", Dir: dir, Pattern: "*.ndjson", Format: "ndjson", State: connectortest.NewState(),
		Every: time.Millisecond, StableFor: time.Nanosecond, After: files.After{Delete: true}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	ctx, cancel := context.WithCancel(b.Context())
	go func() { <-q.done; cancel() }()
	if err := s.Run(ctx, q); err != nil {
		b.Fatal(err)
	}
}

type count struct {
	got, want int
	done      chan struct{}
}

func (c *count) Send(_ context.Context, m ...message.Message) ([]connectors.Receipt, error) {
	if c.got += len(m); c.got == c.want {
		close(c.done)
	}
	return make([]connectors.Receipt, len(m)), nil
}
