package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/format"
	"crossdock/connectors/format/csv"
	jsonformat "crossdock/connectors/format/json"
	"crossdock/connectors/format/ndjson"
	"crossdock/connectors/format/text"
	"crossdock/runtime/message"
)

// maxFaults is how many wrong records a report lists.
const maxFaults = 100

// progress is what is remembered about one content.
type progress struct {
	Began  time.Time `json:"began"`
	Taken  int       `json:"taken"` // records that are durable, or known to be wrong
	Faults []fault   `json:"faults,omitempty"`
	Wrong  int       `json:"wrong,omitempty"` // all wrong records, listed or not
	Ended  bool      `json:"ended,omitempty"`

	// Which file it was: another one of the same content is a new one, unless
	// files stay where they are.
	Name    string    `json:"name,omitempty"`
	Changed time.Time `json:"changed,omitzero"`
}

// away is an error of the store. Nothing can be taken in while it lasts, and
// no file may overtake the one that it struck.
type away struct{ error }

func (a away) Unwrap() error { return a.error }

// fault is one thing that is wrong with a file.
type fault struct {
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
}

func (p *progress) add(line int, text string) {
	p.Wrong++
	if len(p.Faults) < maxFaults {
		p.Faults = append(p.Faults, fault{line, text})
	}
}

// taking is one file on its way in.
type taking struct {
	*source
	name string
	sha  string
	size int64
	key  string // of the state
	progress
	saved   time.Time
	unsaved int // batches
}

// take brings one settled file in and puts it aside.
func (s *source) take(ctx context.Context, root *os.Root, name string, out connectors.Channel) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sight := s.seen[name]
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if !sight.of(before) {
		return nil // it changed meanwhile: the next look sees it anew
	}
	if sight.size > s.MaxSize {
		t := &taking{source: s, name: name, size: sight.size}
		t.add(0, fmt.Sprintf("the file has %d bytes; at most %d are read", sight.size, s.MaxSize))
		return t.putAside(ctx, root)
	}
	if sight.sum == "" {
		if sight.sum, err = sum(ctx, f, sight); err != nil || sight.sum == "" {
			return err
		}
	}
	t := &taking{source: s, name: name, sha: sight.sum, size: sight.size}
	t.key = "files/" + s.Name + "/" + t.sha
	if err := t.load(ctx, sight.mtime); err != nil {
		return err
	}
	if !t.Ended {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := t.bringIn(ctx, f, out); err != nil {
			return err
		}
	}
	return t.putAside(ctx, root)
}

// load finds out how far the content was read before. What was read to its end
// under another name or at another time, and was to be put aside since, is gone:
// only forgetting it had failed.
func (t *taking) load(ctx context.Context, changed time.Time) error {
	raw, err := t.State.Load(ctx, t.key)
	if err != nil {
		return away{fmt.Errorf("look up how far the file was read: %w", err)}
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &t.progress); err != nil {
			return fmt.Errorf("what is remembered about the file cannot be read: %w", err)
		}
		same := t.Name == t.name && t.Changed.Equal(changed)
		if same || !t.Ended || t.stays() {
			return nil
		}
	}
	t.progress = progress{Began: time.Now().UTC().Truncate(time.Millisecond), Name: t.name, Changed: changed}
	return t.save(ctx) // message IDs depend on it: it must stay the same
}

func (t *taking) save(ctx context.Context) error {
	raw, err := json.Marshal(t.progress)
	if err != nil {
		return fmt.Errorf("remember how far the file was read: %w", err)
	}
	if err := t.State.Save(ctx, t.key, raw); err != nil {
		return away{fmt.Errorf("remember how far the file was read: %w", err)}
	}
	t.saved, t.unsaved = time.Now(), 0
	return nil
}

func (t *taking) reader(f io.Reader) format.Reader {
	switch t.Format {
	case "ndjson":
		return ndjson.Open(f, ndjson.Options{})
	case "csv":
		return csv.Open(f, t.CSV)
	case "text":
		return text.Open(f, t.Encoding)
	}
	return jsonformat.Open(f)
}

// bringIn hands over all records that are not taken yet.
func (t *taking) bringIn(ctx context.Context, f io.Reader, out connectors.Channel) error {
	reader := t.reader(f)
	if t.Format == "csv" && !t.PerRecord {
		reader = &whole{rows: reader, name: t.name}
	}
	reading, cancel := context.WithCancel(ctx)
	batches := make(chan batch, 1)
	stager, _ := out.(connectors.Stager)
	done := make(chan struct{})
	skip := t.Taken
	go func() { // joined below
		defer close(done)
		t.read(reading, reader, skip, stager, batches)
	}()
	err := t.handOver(ctx, batches, out)
	cancel()
	<-done
	if err != nil {
		return err
	}
	t.Ended = true
	return t.save(ctx)
}

// batch is what is handed over together. last is the number of its last
// record, wrong ones included.
type batch struct {
	messages []message.Message
	staged   connectors.Staged // the messages made ready, where that could be done ahead
	lines    []int
	faults   []fault
	last     int
	err      error // reading failed: not the fault of the file
}

// read fills batches until the end of the file. With a stager it makes each
// ready to be stored while the one before is being stored.
func (t *taking) read(ctx context.Context, reader format.Reader, skip int, stager connectors.Stager, batches chan<- batch) {
	defer close(batches)
	b := batch{last: skip}
	bytes := 0
	send := func() bool {
		if stager != nil && len(b.messages) > 0 {
			if staged, err := stager.Stage(ctx, b.messages...); err == nil {
				b.staged = staged // else handing over meets the error, and deals with it
			}
		}
		select {
		case batches <- b:
			b, bytes = batch{last: b.last}, 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for n := 1; ; n++ {
		rec, err := reader.Next()
		var wrong *format.Error
		switch {
		case err == io.EOF:
			send()
			return
		case errors.As(err, &wrong):
			if n > skip {
				b.faults, b.last = append(b.faults, fault{wrong.Line, wrong.Text}), n
			}
			if !wrong.Skip {
				send()
				return
			}
			continue
		case err != nil:
			b.err = err
			send()
			return
		}
		if n <= skip {
			continue
		}
		if b.messages == nil {
			b.messages, b.lines = make([]message.Message, 0, t.Batch), make([]int, 0, t.Batch)
		}
		b.messages, b.lines, b.last = append(b.messages, t.message(rec, n)), append(b.lines, rec.Line), n
		if bytes += len(rec.Raw); len(b.messages) >= t.Batch || bytes >= 4<<20 {
			if !send() {
				return
			}
		}
	}
}

func (t *taking) message(rec format.Record, n int) message.Message {
	m := message.Message{
		ID:  connectors.StableID(t.Began, t.source.Name, t.sha, strconv.Itoa(n)),
		Raw: rec.Raw,
		Meta: message.Meta{Source: "files", ReceivedAt: time.Now(),
			File: &message.File{Name: t.name, Size: t.size, SHA256: t.sha, Record: n}},
	}
	switch {
	case t.Format == "text":
		m.Meta.Type, m.Body = "text/plain", rec.Value
	case t.Format == "json", t.Format == "csv" && !t.PerRecord:
		m.Meta.File.Record = 0
	}
	return m
}

// handOver sends the batches in order and remembers how far it came.
func (t *taking) handOver(ctx context.Context, batches <-chan batch, out connectors.Channel) error {
	for b := range batches {
		if len(b.messages) > 0 {
			if err := t.send(ctx, b, out); err != nil {
				return err
			}
		}
		for _, f := range b.faults {
			t.add(f.Line, f.Text)
		}
		t.Taken = b.last
		if b.err != nil {
			return b.err
		}
		// What is not remembered yet is handed over again after a crash, and
		// known by its IDs: remembering each batch would only cost time.
		if t.unsaved++; t.unsaved >= 16 || time.Since(t.saved) > time.Second {
			if err := t.save(ctx); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// send hands a batch over, and tries again as long as it cannot be stored.
// Records whose content is refused are told one by one.
func (t *taking) send(ctx context.Context, b batch, out connectors.Channel) error {
	wait := 200 * time.Millisecond
	for {
		var err error
		if b.staged != nil {
			_, err = b.staged.Send(ctx)
			b.staged = nil // another attempt may come much later
		} else {
			_, err = out.Send(ctx, b.messages...)
		}
		var refused *connectors.Rejection
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused) && len(b.messages) == 1:
			t.add(b.lines[0], refused.Error())
			return nil
		case errors.As(err, &refused):
			for i := range b.messages {
				one := batch{messages: b.messages[i : i+1], lines: b.lines[i : i+1]}
				if err := t.send(ctx, one, out); err != nil {
					return err
				}
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.tell(t.name, "records cannot be stored now, and are tried again: "+err.Error())
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// whole makes one record of all rows: {name, rows}. One wrong row spoils it.
type whole struct {
	rows format.Reader
	name string
	done bool
}

// Next implements format.Reader.
func (w *whole) Next() (format.Record, error) {
	if w.done {
		return format.Record{}, io.EOF
	}
	w.done = true
	raw := append(format.AppendText([]byte(`{"name":`), w.name), `,"rows":[`...)
	for n := 0; ; n++ {
		rec, err := w.rows.Next()
		if err == io.EOF {
			return format.Record{Raw: append(raw, "]}"...)}, nil
		}
		if err != nil {
			var wrong *format.Error
			if errors.As(err, &wrong) {
				err = &format.Error{Line: wrong.Line, Text: wrong.Text} // not only this row
			}
			return format.Record{}, err
		}
		if n > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, rec.Raw...)
	}
}
