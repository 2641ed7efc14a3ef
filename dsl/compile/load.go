package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
)

// Catalog tells which types of connections exist. The engine implements it
// over its connectors.
type Catalog interface {
	// Types returns the words that may stand behind `type:`.
	Types() []string
	// Settings and Operation return pointers to fresh structs for the keys
	// that belong to a type, nil where the type does not exist.
	Settings(typ string) any
	Operation(typ string) any
	// Concurrency is how many calls a connection of that type makes at the same
	// time where its definition does not say.
	Concurrency(typ string) int
	// Check looks at a whole connection and reports what is wrong.
	Check(c *Connection) diag.List
	// Placeholders returns the names an operation binds from `with`, and those
	// that may be left out.
	Placeholders(op *Operation) (names, optional []string)
	// ReadOnly reports whether an operation changes nothing by its nature.
	ReadOnly(op *Operation) bool
	// Cron reports what is wrong with a cron expression.
	Cron(expr, zone string) error
	// Schedule looks at a cron expression as a person would, from now on.
	Schedule(expr, zone string, now time.Time) []Remark
	// Covers reports whether spans of that length, one from each time of a cron
	// expression on, leave no time between them, and how far apart the times are
	// at most.
	Covers(expr string, lasts time.Duration, from time.Time) (apart time.Duration, always bool)
	// Verify reports what is wrong with a verification of webhooks.
	Verify(v *spec.Verify) diag.List
	// Files reports what is wrong with a trigger that reads files.
	Files(t *spec.FilesTrigger) diag.List
	// Records reads the records of a file as a trigger of its format does.
	Records(t *spec.FilesTrigger, raw []byte) ([]any, error)
	// Path reports what is wrong with the path of a webhook.
	Path(path string) error
	// Overlap reports whether a request could match the paths of two webhooks
	// and neither is the more exact one.
	Overlap(a, b string) bool
}

// Remark is what there is to say about a setting.
type Remark struct {
	Message string
	Hint    string
	Warning bool
}

// Options says how to load.
type Options struct {
	Catalog     Catalog
	Environment string            // "" = the workspace's default, or the only one
	Vars        map[string]string // win over those of the environment
	Std         fs.FS             // the shipped library; nil for none
	// AnyEnvironment accepts that none was chosen where there are several, as
	// lint does: the first by name is used.
	AnyEnvironment bool
	// Strict runs all jq cells in the sandbox, whatever the definitions say.
	Strict bool
	// Cache makes loading the same workspace again cheap; nil for none.
	Cache *Cache
	// Trial takes the place of all instances, so that a template is seen with
	// values that no client has; nil for the instances there are.
	Trial *template.Trial
}

// definition is one file before and while it is compiled.
type definition struct {
	Definition
	source   *source
	node     *ast.Node // the whole document; nil where it was not read again
	head     ast.Pair  // kind and name
	client   *Client   // for which it was rendered; nil otherwise
	rendered *template.Definition
}

// builder compiles one workspace.
type builder struct {
	fsys  fs.FS
	opt   Options
	diags diag.List
	ws    *Workspace
	defs  map[string][]*definition          // by kind, in path order
	named map[string]map[string]*definition // by kind and name
	vars  map[string]string
	cells *cell.Compiler

	beside map[string][]byte // hashes of files that definitions name, by path
	// library names what ships with crossdock, by kind.
	library map[string][]string

	parts     map[string][]*source // files of templates, by the folder of the template
	unread    map[string][]string  // those whose text cannot be read, by their paths
	byPath    map[string]*source
	rendered  []*source // definitions of clients
	templates map[string]*template.Template
	instances map[string]*rendering

	unit          *Unit    // being compiled; nil outside of definitions
	client        string   // whose it is, "" where it belongs to the workspace
	params        any      // of its template
	probing       bool     // what is compiled belongs to a connection and names others
	base          string   // see the question of that name
	tableNames    []string // of all crosswalks
	schemaID      *int
	connectionsID connectionsID
}

// connectionsID stands for the texts of all connections and what they use.
type connectionsID struct {
	texts   string
	schemas *int
}

// Load reads, parses and compiles all definitions below fsys. The Workspace is
// usable for looking at even when the list has errors, but must not run then.
// The error is for a folder that cannot be read at all.
func Load(fsys fs.FS, opt Options) (*Workspace, diag.List, error) {
	b := &builder{fsys: fsys, opt: opt, defs: map[string][]*definition{}, named: map[string]map[string]*definition{}, beside: map[string][]byte{}, library: map[string][]string{},
		parts: map[string][]*source{}, unread: map[string][]string{}, byPath: map[string]*source{}, templates: map[string]*template.Template{}, instances: map[string]*rendering{}}
	b.ws = &Workspace{
		Pipelines: map[string]*Pipeline{}, Connections: map[string]*Connection{}, Mappings: map[string]*Mapping{},
		Lookups: map[string]*Lookup{}, Schemas: map[string]*Schema{}, Policies: map[string]*Policy{},
		Verify: map[string]*spec.Verify{}, Listeners: map[string][]*Pipeline{}, Files: map[string]*ast.File{},
		Templates: map[string]*template.Template{}, Clients: map[string]*Client{}, parts: map[string]bool{},
	}
	files, err := b.readAll(fsys, "", false)
	if err != nil {
		return nil, nil, err
	}
	if opt.Trial != nil {
		files = b.onTrial(files)
	}
	if opt.Std != nil {
		std, err := b.readAll(opt.Std, "std/", true)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, std...)
	}
	b.index(files)
	b.clients()
	b.workspace()
	b.lookups()
	b.schemas()
	b.connections()
	b.mappings()
	b.pipelines()
	b.alerts()
	b.tests()
	b.finish(files)
	if opt.Cache != nil {
		opt.Cache.keep(b, append(files, b.rendered...))
	}
	return b.ws, b.diags, nil
}

// readAll finds and parses every definition file of one tree.
func (b *builder) readAll(fsys fs.FS, prefix string, std bool) ([]*source, error) {
	var files []*source
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == "." {
				return err
			}
			b.diags.Errorf(spec.CodeUnknown, diag.Span{File: prefix + p}, "cannot be read: %s", plainError(err))
			return nil
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(name, ".") || !(strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
			return nil
		}
		raw, err := fs.ReadFile(fsys, p)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink == 0 {
				return nil // went away while we were looking
			}
			b.diags.Errorf(spec.CodeUnknown, diag.Span{File: prefix + p}, "cannot be read: %s", plainError(err))
			return nil
		}
		files = append(files, &source{path: prefix + p, key: prefix + p, raw: raw, std: std})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the workspace: %w", err)
	}
	inParallel(len(files), func(i int) { files[i].parse(b.opt.Cache) })
	return files, nil
}

// onTrial puts the instance of the trial in the place of all others.
func (b *builder) onTrial(files []*source) []*source {
	files = slices.DeleteFunc(files, func(s *source) bool {
		k, ok := spec.KindOfFile(s.path)
		return ok && k.Name == "instance"
	})
	t := &source{path: b.opt.Trial.Path, key: b.opt.Trial.Path, raw: b.opt.Trial.Text}
	t.parse(b.opt.Cache)
	b.ws.Trial = b.opt.Trial
	return append(files, t)
}

func plainError(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// index sorts the files by kind and name.
func (b *builder) index(files []*source) {
	ofTemplates := folders(files)
	for _, s := range files {
		b.byPath[s.path] = s
		byName, named := spec.KindOfFile(s.path)
		head := s.head
		if !named {
			// Some other YAML file, unless its first line says otherwise.
			if head == nil {
				continue
			}
			k, ok := spec.KindNamed(head.Key.Text)
			if !ok || head.Value.Kind != ast.Scalar || looksForeign(s.file.Root, k) {
				continue
			}
			f := b.diags.Errorf(spec.CodeUnknown, head.Key.Span, "a %s must stand in a file whose name ends in `%s`", k.Name, k.Suffix)
			f.Hint = "rename the file to " + renamed(s.path, k)
			continue
		}
		b.ws.Files[s.path] = s.file
		b.diags.Add(s.list...)
		if head == nil {
			if !s.list.HasErrors() {
				b.diags.Errorf(spec.CodeUnknown, diag.Span{File: s.path, Start: diag.Point{Line: 1, Col: 1}, End: diag.Point{Line: 1, Col: 2}}, "the file is empty").
					Hint = "the first line says kind and name: " + example(byName)
			}
			if folder := folderOf(ofTemplates, s.path); folder != "" {
				b.unread[folder] = append(b.unread[folder], s.path)
			}
			continue
		}
		if folder := folderOf(ofTemplates, s.path); folder != "" && byName.Name != "template" && !s.std {
			b.part(s, *head, byName, folder)
			continue
		}
		b.add(s, *head, byName)
	}
}

// looksForeign keeps files of other tools that happen to begin with a word of
// ours out of the way: no second key is one of ours.
func looksForeign(root *ast.Node, k spec.Kind) bool {
	return !slices.ContainsFunc(root.Pairs[1:], func(p ast.Pair) bool { return slices.Contains(k.Keys(), p.Key.Text) })
}

// renamed is the path with the ending that a kind has.
func renamed(p string, k spec.Kind) string {
	if k.Name == "crossdock" {
		return path.Join(path.Dir(p), k.Suffix)
	}
	p = strings.TrimSuffix(strings.TrimSuffix(p, ".yaml"), ".yml")
	if ext := path.Ext(p); ext != "" && len(diag.Nearest(ext[1:], []string{k.Name})) > 0 {
		p = strings.TrimSuffix(p, ext)
	}
	return p + k.Suffix
}

func example(k spec.Kind) string {
	if k.Name == "crossdock" {
		return "crossdock: 1"
	}
	return k.Name + ": some-name"
}

// header reads the first line of a file and reports what is wrong with it.
func (b *builder) header(s *source, head ast.Pair, byName spec.Kind) (spec.Kind, bool) {
	kind, ok := spec.KindNamed(head.Key.Text)
	switch {
	case !ok:
		d := spec.Decoder{Diags: &b.diags}
		f := d.Errorf(spec.CodeUnknown, head.Key.Span, "the first line must say kind and name, found `%s`", head.Key.Text)
		f.Hint = "this file is a " + byName.Name + ": begin it with " + example(byName)
		if near := diag.Nearest(head.Key.Text, spec.KindNames()); len(near) > 0 {
			f.Short = "did you mean `" + near[0] + "`?"
			f.Fixes = []diag.Fix{{Title: "replace with `" + near[0] + "`", Edits: []diag.Edit{{Span: head.Key.Span, Text: near[0]}}}}
		}
		return kind, false
	case kind.Name != byName.Name:
		b.diags.Errorf(spec.CodeUnknown, head.Key.Span, "the file name says %s, the first line says %s", byName.Name, kind.Name).
			Hint = "rename the file so that it ends in " + kind.Suffix + ", or change the first line"
		return kind, false
	case !kind.Available:
		b.diags.Errorf(spec.CodeUnknown, head.Key.Span, "the kind `%s` is not available yet", kind.Name).
			Hint = "it belongs to the language, but this version cannot run it"
		return kind, false
	case head.Value.Kind != ast.Scalar || head.Value.Text == "":
		b.diags.Errorf(spec.CodeUnknown, head.Value.Span, "a %s needs a name", kind.Name).Hint = "write " + example(kind)
		return kind, false
	}
	name := head.Value.Text
	if i := strings.IndexFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }); i >= 0 && kind.Name != "test" {
		b.diags.Errorf(spec.CodeUnknown, head.Value.Span, "a name has no blanks").Hint = "write " + kind.Name + ": " + strings.Join(strings.Fields(name), "-")
	}
	return kind, true
}

func (b *builder) add(s *source, head ast.Pair, byName spec.Kind) {
	kind, ok := b.header(s, head, byName)
	if !ok {
		return
	}
	name := head.Value.Text
	if s.std {
		b.library[kind.Name] = append(b.library[kind.Name], name)
		if !b.wants(kind.Name, name) {
			return
		}
		name = "std/" + name
	}
	d := &definition{source: s, node: s.file.Root, head: head,
		Definition: Definition{Kind: kind.Name, Name: name, Digest: s.meaning, File: s.file, Std: s.std}}
	if kind.Name != "test" {
		if b.named[kind.Name] == nil {
			b.named[kind.Name] = map[string]*definition{}
		}
		if first := b.named[kind.Name][name]; first != nil {
			what := "the " + kind.Name + " `" + name + "`"
			if kind.Name == "crossdock" {
				what = "the workspace file crossdock.yaml"
			}
			f := b.diags.Errorf(spec.CodeUnknown, head.Value.Span, "%s exists twice", what)
			f.Related = []diag.Related{{Span: first.head.Value.Span, Message: "the other one"}}
			f.Hint = "the other one is in " + first.File.Path
			return
		}
		b.named[kind.Name][name] = d
	}
	b.defs[kind.Name] = append(b.defs[kind.Name], d)
}

// wants reports whether the workspace takes a definition of the shipped library
// in: schemas and tables always, flows by name, and connections with the first
// flow.
func (b *builder) wants(kind, name string) bool {
	if kind != "pipeline" && kind != "connection" {
		return true
	}
	defs := b.defs["crossdock"]
	if len(defs) == 0 {
		return false
	}
	use := defs[0].node.Get("use")
	if use == nil {
		return false
	}
	if kind == "connection" {
		return true
	}
	return slices.ContainsFunc(append(use.Items, use), func(n *ast.Node) bool { return strings.TrimPrefix(n.Text, "std/") == name })
}

// finish notes what there is to know of all files, and hashes the meaning of
// everything.
func (b *builder) finish(files []*source) {
	h := sha256.New()
	var secrets []string
	for _, s := range files { // the walk gave them in the order of their paths
		if _, ours := b.ws.Files[s.path]; !ours {
			continue
		}
		b.ws.Files[s.path] = s.file // it may have been read again
		if s.meaning == "" {
			continue
		}
		fmt.Fprintf(h, "%s %s\n", s.path, s.meaning)
		if other := strings.HasSuffix(s.path, ".environment.yaml") && s.file != b.ws.Environment.File; !other && !b.ofTemplate(s.path) {
			secrets = append(secrets, s.secrets...)
		}
	}
	slices.Sort(secrets)
	for _, s := range b.rendered {
		secrets = append(secrets, s.secrets...)
	}
	b.ws.secrets = slices.Compact(secrets)
	for _, p := range sortedKeys(b.beside) {
		fmt.Fprintf(h, "%s %x\n", p, b.beside[p])
	}
	for _, v := range sortedKeys(b.opt.Vars) {
		fmt.Fprintf(h, "var %s %s\n", v, b.opt.Vars[v])
	}
	fmt.Fprintf(h, "env %s\n", b.opt.Environment)
	b.ws.Revision = "r" + hex.EncodeToString(h.Sum(nil))[:12]
}

// decoder returns a decoder for d's kind.
func (b *builder) decoder(d *definition) *spec.Decoder {
	return &spec.Decoder{Diags: &b.diags, Kind: d.Kind, Name: d.Name}
}

// configured returns a decoder that resolves ${var.x}.
func (b *builder) configured(d *definition) *spec.Decoder {
	dec := b.decoder(d)
	dec.Var = func(name string) (string, bool) { v, ok := b.vars[name]; return v, ok }
	dec.VarNames = sortedKeys(b.vars)
	return dec
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// readBeside reads a file named in a definition: beside it, or from the root of
// the workspace.
func (b *builder) readBeside(d *definition, name string) ([]byte, string, error) {
	raw, at, err := b.read(d.File.Path, name)
	if err == nil {
		sum := sha256.Sum256(raw)
		b.beside[at] = sum[:]
	}
	return raw, at, err
}

// MissingFile begins what findings about a file that is not there miss; what
// follows is its name, as it was written.
const MissingFile = "file "

// ReadBeside reads a file named in the definition at from: beside that file,
// or from the root of the workspace.
func ReadBeside(fsys, std fs.FS, from, name string) ([]byte, string, error) {
	if rest, ok := strings.CutPrefix(from, "std/"); ok && std != nil {
		p := path.Join(path.Dir(rest), name)
		raw, err := fs.ReadFile(std, p)
		return raw, "std/" + p, err
	}
	beside := path.Join(path.Dir(from), name)
	if !fs.ValidPath(beside) {
		return nil, name, fmt.Errorf("the path leaves the workspace")
	}
	raw, err := fs.ReadFile(fsys, beside)
	if errors.Is(err, fs.ErrNotExist) && fs.ValidPath(path.Clean(name)) {
		if atRoot, rootErr := fs.ReadFile(fsys, path.Clean(name)); rootErr == nil {
			return atRoot, path.Clean(name), nil
		}
	}
	return raw, beside, err
}
