// Package file writes to a local folder, and names the folder that a files
// trigger reads.
//
// `write` makes one file per message. Its name follows from the message, and
// it appears whole or not at all (temporary file, fsync, rename, fsync of the
// folder), so a repeated delivery replaces the file by itself: effectively
// once per name.
//
// `append` adds one line per message to a growing file. Many deliveries share
// one write and one fsync; a delivery succeeds only when its line is on disk.
// Appending is at-least-once: a line can be there twice after a crash. With
// `repeat: keyed` the keys of the newest lines are remembered beside the file, and
// a line that is delivered again is recognised. A line that a crash tore is
// removed when the file is opened again.
//
// Nothing outside the folder can be reached, whatever a message holds.
package file

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Connector is the kind of connection named file.
type Connector struct{}

// Settings are the keys of a file connection.
type Settings struct {
	Dir  spec.Text `yaml:"dir" doc:"Folder, relative to the workspace." validate:"required"`
	Sync spec.Text `yaml:"sync" doc:"fsync (default) survives power loss; process survives a crash of crossdock and is faster." validate:"omitempty,oneof=fsync process"`
}

// Operation are the keys of one operation of a file connection. Either write
// or append is set.
type Operation struct {
	Node    *ast.Node   `yaml:"-"`
	Write   spec.Text   `yaml:"write" doc:"Name of the file to write, such as out/order-{order}.json; {name} is filled from with."`
	Append  spec.Text   `yaml:"append" doc:"Name of the file that gets one more line, such as out/events.ndjson."`
	Body    spec.Text   `yaml:"body" doc:"json (default), text, or csv (one row of the columns)." validate:"omitempty,oneof=json text csv"`
	Columns []spec.Text `yaml:"columns" doc:"csv: fields of the payload, in order."`
}

// Picks returns the fields of the payload that it writes, where it does not write
// all of it.
func (o *Operation) Picks() []spec.Text {
	if o.Body.Value != "csv" {
		return nil
	}
	return o.Columns
}

// Placeholders returns the names in the file name.
func (o *Operation) Placeholders() (names, optional []string) {
	t, err := connectors.ParseTemplate(o.name().Value)
	if err != nil {
		return nil, nil
	}
	return t.Placeholders()
}

func (o *Operation) name() spec.Text {
	if o.Append.Node != nil {
		return o.Append
	}
	return o.Write
}

// Type implements connectors.Connector.
func (Connector) Type() string { return "file" }

// Concurrency implements connectors.Wide: lines that are appended at the same
// time share one write and one fsync.
func (Connector) Concurrency() int { return 512 }

// Settings implements connectors.Connector.
func (Connector) Settings() any { return &Settings{} }

// Operation implements connectors.Connector.
func (Connector) Operation() any { return &Operation{} }

// Check implements connectors.Connector.
func (Connector) Check(c connectors.Config) diag.List {
	var list diag.List
	for _, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			continue
		}
		if _, err := newTask(op.Name, own); err != nil {
			at := diag.Span{}
			if own.Node != nil {
				at = own.Node.Span
			}
			if n := own.name().Node; n != nil {
				at = n.Span
			}
			var w *wrong
			if errors.As(err, &w) && w.key != "" && own.Node != nil && own.Node.Pair(w.key) != nil {
				at = own.Node.Pair(w.key).Key.Span
			}
			f := list.Errorf(spec.CodeUnknown, at, "%s", err)
			if w != nil {
				f.Hint = w.hint
			}
		}
	}
	return list.Tidy()
}

// Open implements connectors.Connector. The folder is made when it is first
// written to.
func (Connector) Open(c connectors.Config, env connectors.Env) (connectors.Sink, error) {
	settings, ok := c.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("connection %s has no file settings", c.Name)
	}
	s := &sink{name: c.Name, folder: &folder{dir: Folder(settings, env.Dir), sync: settings.Sync.Value != "process"},
		tasks: map[string]*task{}, logs: map[string]*journal{}}
	for name, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			return nil, fmt.Errorf("connection %s: operation %s is no file operation", c.Name, name)
		}
		t, err := newTask(name, own)
		if err != nil {
			return nil, fmt.Errorf("connection %s: operation %s: %w", c.Name, name, err)
		}
		t.keyed = t.grow && op.Keyed
		s.tasks[name] = t
	}
	return s, nil
}

// Folder returns the folder that settings name, for a workspace in dir.
func Folder(s *Settings, dir string) string {
	if filepath.IsAbs(s.Dir.Value) {
		return filepath.Clean(s.Dir.Value)
	}
	return filepath.Join(dir, s.Dir.Value)
}

// task is one operation.
type task struct {
	name    connectors.Template
	fixed   string // where the name has no placeholders
	grow    bool
	keyed   bool // lines that are delivered again are recognised
	body    string
	columns []string
}

// wrong is a setting that cannot be, and what to type instead.
type wrong struct {
	message, hint string
	key           string // where it stands; the name of the file unless said otherwise
}

func (w *wrong) Error() string { return w.message }

func newTask(op string, own *Operation) (*task, error) {
	if (own.Write.Node == nil) == (own.Append.Node == nil) {
		return nil, fmt.Errorf("operation `%s` needs either `write` or `append`", op)
	}
	t := &task{grow: own.Append.Node != nil, body: own.Body.Value}
	if t.body == "" {
		t.body = "json"
	}
	for _, c := range own.Columns {
		t.columns = append(t.columns, c.Value)
	}
	switch csv := t.body == "csv"; {
	case csv && len(t.columns) == 0:
		return nil, &wrong{"`body: csv` needs `columns`", "add columns: [...] with the fields of the payload, in the order of the file", "body"}
	case len(t.columns) > 0 && (t.body == "json" || t.body == "text"):
		return nil, &wrong{"`columns` has no effect beside `body: " + t.body + "`", "write `body: csv`, or remove it", "columns"}
	}
	var err error
	if t.name, err = connectors.ParseTemplate(own.name().Value); err != nil {
		return nil, err
	}
	if _, optional := t.name.Placeholders(); len(optional) > 0 {
		return nil, fmt.Errorf("{%s?} cannot be left out of a file name; write {%s}", optional[0], optional[0])
	}
	if fixed, ok := t.name.Constant(); ok {
		if err := checkName(fixed); err != nil {
			return nil, err
		}
		t.fixed = fixed
		return t, nil
	}
	var shape strings.Builder // what is wrong whatever the values are
	t.name.Each(func(literal, name string) {
		if name != "" {
			literal = "{" + name + "}"
		}
		shape.WriteString(literal)
	})
	if err := checkName(shape.String()); err != nil {
		return nil, err
	}
	return t, nil
}

// file renders the name of the file for one delivery.
func (t *task) file(with map[string]any) (string, error) {
	if t.fixed != "" {
		return t.fixed, nil
	}
	raw, _, err := t.name.Append(nil, with, appendPart)
	if err != nil {
		return "", err
	}
	return string(raw), checkName(string(raw))
}

// appendPart appends a value that becomes part of one file name.
func appendPart(dst []byte, text string, at connectors.Place) ([]byte, error) {
	switch {
	case text == "":
		return dst, fmt.Errorf("the value of {%s} is empty", at.Name)
	case strings.ContainsAny(text, `/\:`):
		return dst, fmt.Errorf("the value of {%s} holds a sign that cannot be part of a file name (one of / \\ :)", at.Name)
	case strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\uFFFD' }) >= 0:
		return dst, fmt.Errorf("the value of {%s} holds a control or broken character", at.Name)
	}
	return append(dst, text...), nil
}

// checkName judges a whole name below the folder.
func checkName(name string) error {
	if name == "" || strings.HasSuffix(name, "/") {
		return errors.New("the file has no name")
	}
	if path.IsAbs(name) || filepath.IsAbs(name) || strings.ContainsAny(name, "\\\x00") {
		return &wrong{message: fmt.Sprintf("the file `%s` must be named relative to the folder, with / between its parts", name), hint: below(name)}
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return &wrong{message: fmt.Sprintf("the file name `%s` has an empty part or one that leads elsewhere", name), hint: below(name)}
		case len(part) > 240:
			return errors.New("the file name is longer than 240 bytes")
		case strings.HasSuffix(part, partial), strings.HasSuffix(part, keysEnding):
			return fmt.Errorf("the file name `%s` ends like a file of crossdock's own", name)
		case strings.TrimRight(part, ". ") == "" || strings.HasSuffix(part, " "):
			return fmt.Errorf("the file name `%s` has a part of dots and spaces", name)
		}
	}
	return nil
}

// below says how a name is written that stays below the folder.
func below(name string) string {
	slashes := strings.ReplaceAll(name, "\\", "/")
	if len(slashes) > 1 && slashes[1] == ':' {
		slashes = slashes[2:]
	}
	inside := strings.TrimPrefix(path.Clean("/"+slashes), "/")
	if inside == "" || strings.ContainsRune(inside, 0) {
		return "names begin below the `dir` of the connection"
	}
	return "names begin below the `dir` of the connection: write `" + inside + "`"
}

// partial is the ending of files that are not whole yet.
const partial = ".crossdock-part"

// folder is the root that nothing leaves.
type folder struct {
	dir  string
	sync bool
}

func (f *folder) open() (*os.Root, error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	return os.OpenRoot(f.dir)
}
