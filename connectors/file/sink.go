package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// sink is one open file connection.
type sink struct {
	name   string
	folder *folder
	tasks  map[string]*task

	mu     sync.Mutex
	root   *os.Root
	logs   map[string]*journal
	active int // deliveries under way
	closed bool
}

var errClosed = errors.New("the connection is closed")

// Deliver implements connectors.Sink.
func (s *sink) Deliver(ctx context.Context, r connectors.Request) (connectors.Response, error) {
	t, ok := s.tasks[r.Operation]
	if !ok {
		return connectors.Response{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", s.name, r.Operation))
	}
	if t.grow {
		a := s.DeliverAll(ctx, []connectors.Request{r})[0]
		return a.Response, a.Err
	}
	name, err := t.file(r.With)
	if err != nil {
		return connectors.Response{}, connectors.Permanent(err)
	}
	data, err := t.encode(r)
	if err != nil {
		return connectors.Response{}, connectors.Permanent(err)
	}
	if err := ctx.Err(); err != nil {
		return connectors.Response{}, connectors.NotSent(fmt.Errorf("write file: %w", err))
	}
	root, err := s.enter()
	if err != nil {
		return connectors.Response{}, connectors.NotSent(words("open folder of", name, err))
	}
	defer s.leave()
	if err := s.folder.write(root, name, data); err != nil {
		// Writing it again gives the same file, so nothing is in doubt.
		return connectors.Response{}, connectors.NotSent(words("write", name, err))
	}
	return wrote(name), nil
}

// wrote is the answer of a file.
func wrote(name string) connectors.Response {
	return connectors.Response{Status: 200, Body: map[string]any{"file": name}}
}

// words tells a file error without system call names.
func words(verb, name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		err = l.Err
	}
	return fmt.Errorf("cannot %s %s: %w", verb, name, err)
}

// enter begins a delivery and opens the folder for the first one.
func (s *sink) enter() (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.root == nil {
		root, err := s.folder.open()
		if err != nil {
			return nil, err
		}
		s.root = root
	}
	s.active++
	return s.root, nil
}

// leave ends a delivery; the last one behind a Close puts out the light.
func (s *sink) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active--; s.active == 0 && s.closed {
		_ = s.release()
	}
}

// release lets go of all files. It is called once, with nothing under way.
func (s *sink) release() error {
	for _, j := range s.logs {
		j.close()
	}
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// journal returns the one writer of a growing file.
func (s *sink) journal(root *os.Root, name string, header []byte) *journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.logs[name]; j != nil {
		return j
	}
	if len(s.logs) >= maxOpen {
		s.evictLocked()
	}
	j := newJournal(root, name, s.folder.sync, header)
	s.logs[name] = j
	return j
}

// maxOpen is how many growing files stay open at the same time.
const maxOpen = 128

// evictLocked closes the growing files that nobody is writing to.
func (s *sink) evictLocked() {
	for name, j := range s.logs {
		if j.closeIfIdle() {
			delete(s.logs, name)
		}
	}
}

// Close implements connectors.Sink. Deliveries under way end as usual.
func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.active > 0 {
		return nil
	}
	return s.release()
}

// write puts a whole file in place.
func (f *folder) write(root *os.Root, name string, data []byte) error {
	dir := path.Dir(name)
	if dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	temp := name + "." + unique() + partial
	file, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && f.sync {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		_ = root.Remove(temp) // best effort: it has a name that nobody reads
		return err
	}
	if !f.sync {
		return nil
	}
	return syncDir(root, dir)
}

func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// encode returns the bytes of a whole file.
func (t *task) encode(r connectors.Request) ([]byte, error) {
	if t.body == "csv" {
		data, err := t.appendRow(t.header(), r.Body)
		return append(data, '\n'), err
	}
	return t.appendBody(nil, r)
}

// appendLine appends one line of a growing file to dst.
func (t *task) appendLine(dst []byte, r connectors.Request) ([]byte, error) {
	at := len(dst)
	var err error
	if t.body == "csv" {
		dst, err = t.appendRow(dst, r.Body)
	} else {
		dst, err = t.appendBody(dst, r)
	}
	if err != nil {
		return dst[:at], err
	}
	// JSON that was encoded elsewhere may be broken into lines.
	if (t.body == "text" || t.body == "json" && r.Encoded != nil) && broken(dst[at:]) {
		if t.body == "text" {
			return dst[:at], errors.New("the text has several lines, but each message is one line of the file")
		}
		var line bytes.Buffer
		if err := json.Compact(&line, dst[at:]); err != nil {
			return dst[:at], fmt.Errorf("write the payload as JSON: %w", err)
		}
		dst = append(dst[:at], line.Bytes()...)
	}
	return append(dst, '\n'), nil
}

// broken reports whether a payload has several lines.
func broken(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '\r') >= 0 }

// appendBody appends a payload as text or JSON.
func (t *task) appendBody(dst []byte, r connectors.Request) ([]byte, error) {
	switch {
	case t.body == "text":
		text, ok := connectors.ScalarText(r.Body)
		if !ok {
			return dst, errors.New("`body: text` needs a text, but the payload is no text")
		}
		return append(dst, text...), nil
	case r.Encoded != nil:
		return append(dst, r.Encoded...), nil
	}
	return message.Encode(dst, r.Body), nil
}

// appendRow appends one CSV row. A text that a spreadsheet would run as a formula
// gets an apostrophe in front.
func (t *task) appendRow(b []byte, body any) ([]byte, error) {
	m, ok := body.(map[string]any)
	if !ok {
		return b, errors.New("`body: csv` needs an object with one value per column")
	}
	for i, column := range t.columns {
		if i > 0 {
			b = append(b, ',')
		}
		v, ok := m[column]
		if !ok || v == nil {
			continue
		}
		text, ok := connectors.ScalarText(v)
		if !ok {
			return b, fmt.Errorf("column `%s` holds an object or list", column)
		}
		if s, isText := v.(string); isText && s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
			text = "'" + text
		}
		b = appendCell(b, text)
	}
	return b, nil
}

func appendCell(dst []byte, text string) []byte {
	if strings.ContainsAny(text, ",\"\r\n") || text != strings.TrimSpace(text) {
		text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return append(dst, text...)
}

// header returns the first line of a new file, nil where it has none.
func (t *task) header() []byte {
	if t.body != "csv" {
		return nil
	}
	var b []byte
	for i, column := range t.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCell(b, column)
	}
	return append(b, '\n')
}
