package compile

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
)

// Client is one instance of a template: a client with definitions of its own.
type Client struct {
	Definition
	*template.Instance
}

// parts are the kinds of which a template can be made.
var parts = []string{"connection", "schema", "lookup", "mapping", "pipeline", "test"}

// folders are those of templates: what lies below one belongs to it.
func folders(files []*source) map[string]bool {
	out := map[string]bool{}
	for _, s := range files {
		if k, ok := spec.KindOfFile(s.path); ok && k.Name == "template" && !s.std {
			out[path.Dir(s.path)] = true
		}
	}
	return out
}

// folderOf is the nearest folder of a template around a file, "" where there is
// none.
func folderOf(all map[string]bool, file string) string {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if all[dir] {
			return dir
		}
	}
	return ""
}

// part notes a file that belongs to a template instead of the workspace.
func (b *builder) part(s *source, head ast.Pair, byName spec.Kind, folder string) {
	kind, ok := b.header(s, head, byName)
	if !ok {
		return
	}
	if !slices.Contains(parts, kind.Name) {
		b.diags.Errorf(spec.CodeUnknown, head.Key.Span, "this file stands in the folder of a template, which holds no %s", kind.Name).
			Hint = "move it out of " + folder + "; a template is made of " + strings.Join(parts, ", ")
		return
	}
	b.parts[folder] = append(b.parts[folder], s)
	b.ws.parts[s.path] = false
}

// clients reads the templates and renders every instance. Its definitions join
// those of the workspace, with the code of the client in front of their names.
func (b *builder) clients() {
	read := map[string]*template.Template{}
	at := map[string]*ast.Node{} // folder -> who has it
	for _, d := range b.defs["template"] {
		folder := path.Dir(d.source.path)
		if folder == "." {
			b.diags.Errorf(spec.CodeUnknown, d.head.Key.Span, "a template needs a folder of its own: everything in its folder belongs to it").
				Hint = "move it to templates/" + strings.ReplaceAll(d.head.Value.Text, "@", "/") + "/ with the files it is made of"
			continue
		}
		if first := at[folder]; first != nil {
			f := b.diags.Errorf(spec.CodeUnknown, d.head.Value.Span, "two templates stand in the folder %s", folder)
			f.Related, f.Hint = []diag.Related{{Span: first.Span, Message: "the other one"}}, "give each version a folder of its own"
			continue
		}
		at[folder] = d.head.Value
		t := b.template(d, folder)
		read[t.Name] = t
		b.ws.Templates[t.Name] = t
		b.diags.Add(t.Found...)
	}
	codes := map[string]*Client{}
	var all []*Client
	for _, d := range b.defs["instance"] {
		c := &Client{Definition: d.Definition, Instance: b.instance(d, read)}
		for _, f := range c.Found {
			if f.Span.File != c.Path {
				f.Clients = []string{c.Instance.Client}
			}
			b.diags.Add(f)
		}
		if other := codes[c.Instance.Client]; other != nil {
			span := d.head.Value.Span
			if v, ok := c.Value("code"); ok {
				span = v.Node.Span
			}
			f := b.diags.Errorf(spec.CodeUnknown, span, "the code `%s` belongs to the instance %s already", c.Instance.Client, other.Definition.Name)
			f.Hint, f.Related = "every client needs a code of its own", []diag.Related{{Span: other.Spec.Name.Span(), Message: "the other one"}}
			continue
		}
		codes[c.Instance.Client] = c
		b.ws.Clients[c.Instance.Client] = c
		all = append(all, c)
	}
	for _, c := range all {
		b.join(c)
	}
}

// template reads one, or takes what the cache has of it.
func (b *builder) template(d *definition, folder string) *template.Template {
	sum := sha256.New()
	sum.Write(d.source.sum[:])
	var list []template.Source
	for _, s := range b.parts[folder] {
		sum.Write([]byte(s.path))
		sum.Write(s.sum[:])
		kind, _ := spec.KindOfFile(s.path)
		list = append(list, template.Source{Path: s.path, Root: s.file.Root, Kind: kind})
	}
	for _, file := range b.unread[folder] {
		sum.Write([]byte(file))
	}
	key := "template " + d.source.path + string(sum.Sum(nil))
	if c := b.opt.Cache; c != nil {
		if t := c.templates[key]; t != nil {
			b.templates[key] = t
			return t
		}
	}
	t := template.New(d.source.path, d.source.file.Root, list, b.unread[folder])
	b.templates[key] = t
	return t
}

// instance renders one, or takes what the cache has of it.
func (b *builder) instance(d *definition, read map[string]*template.Template) *template.Instance {
	in := template.Head(d.source.path, d.source.file.Root)
	t := b.templateOf(in, read)
	if c := b.opt.Cache; c != nil {
		if old := c.instances[d.source.path]; old != nil && old.sum == d.source.sum && old.of == t && t != nil {
			b.instances[d.source.path] = old
			return old.made
		}
	}
	if t != nil {
		in.Render(t)
		b.instances[d.source.path] = &rendering{d.source.sum, t, in}
	}
	return in
}

// rendering is an instance as it was made before.
type rendering struct {
	sum  [sha256.Size]byte
	of   *template.Template
	made *template.Instance
}

// templateOf finds the template that an instance pins.
func (b *builder) templateOf(in *template.Instance, read map[string]*template.Template) *template.Template {
	of := in.Spec.Of
	if !of.Set() {
		return nil
	}
	if t := read[of.Value]; t != nil {
		return t
	}
	dec := &spec.Decoder{Diags: &in.Found, Kind: "instance", Name: in.Name}
	known := sortedKeys(read)
	var versions []string
	for _, name := range known {
		if base, _, _ := strings.Cut(name, "@"); base == of.Value {
			versions = append(versions, name)
		}
	}
	if b.named["template"][of.Value] != nil {
		return nil // it is there, and what is wrong with it is told
	}
	if len(versions) > 0 {
		newest := versions[len(versions)-1]
		f := dec.Errorf(spec.CodeUnknown, of.Span(), "`%s` does not say which version", of.Value)
		f.Hint, f.Short = "there are: "+strings.Join(versions, ", "), "write `"+newest+"`"
		f.Fixes = []diag.Fix{{Title: "replace with `" + newest + "`", Edits: []diag.Edit{{Span: f.Span, Text: newest}}}}
		return nil
	}
	dec.Unknown(of.Node, "template", known)
	return nil
}

// join adds the rendered definitions of a client to those of the workspace.
func (b *builder) join(c *Client) {
	values, _ := json.Marshal(c.JSON()) // of texts, numbers, lists and maps
	for i := range c.Definitions {
		r := &c.Definitions[i]
		raw := b.source(r.Path)
		sum := sha256.New()
		for _, s := range [][]byte{raw.sum[:], b.source(c.Path).sum[:], b.source(c.Of.Path).sum[:], []byte(c.Instance.Client)} {
			sum.Write(s)
		}
		s := &source{path: r.Path, key: c.Instance.Client + ":" + r.Path}
		var total [sha256.Size]byte
		copy(total[:], sum.Sum(nil))
		again := func() *parsed {
			p := &parsed{sum: total, file: &ast.File{Path: r.Path, Root: r.Root}, secrets: secretNames(r.Root)}
			p.meaning = meaning(r.Root)
			if mentions(r.Root, "params") || r.Root.Get("program") != nil {
				p.meaning = meaning(r.Root, string(values))
			}
			p.head = &ast.Pair{Key: r.Root.Pairs[0].Key, Value: r.Root.Pairs[0].Value}
			return p
		}
		s.again = again
		if cache := b.opt.Cache; cache != nil && cache.files[s.key] != nil && cache.files[s.key].sum == total {
			s.parsed = cache.files[s.key]
		} else {
			s.parsed = again()
		}
		b.rendered = append(b.rendered, s)
		b.ws.parts[r.Path] = true
		b.addRendered(s, c, r)
	}
}

// addRendered makes a definition of a rendered file.
func (b *builder) addRendered(s *source, c *Client, r *template.Definition) {
	d := &definition{source: s, node: s.file.Root, head: *s.head, client: c, rendered: r,
		Definition: Definition{Kind: r.Kind.Name, Name: c.Instance.Client + "/" + r.Name, Digest: s.meaning, File: s.file, Client: c.Instance.Client}}
	if r.Kind.Name != "test" {
		if b.named[d.Kind] == nil {
			b.named[d.Kind] = map[string]*definition{}
		}
		if first := b.named[d.Kind][d.Name]; first != nil {
			f := b.diags.Errorf(spec.CodeUnknown, d.head.Value.Span, "the %s `%s` exists twice", d.Kind, d.Name)
			f.Related = []diag.Related{{Span: first.head.Value.Span, Message: "the other one"}}
			f.Hint = "the other one is in " + first.File.Path
			explain(f, c, r)
			return
		}
		b.named[d.Kind][d.Name] = d
	}
	b.defs[d.Kind] = append(b.defs[d.Kind], d)
}

// ofTemplate reports whether a file belongs to a template.
func (b *builder) ofTemplate(file string) bool {
	_, part := b.ws.parts[file]
	return part
}

// source finds a file of the workspace.
func (b *builder) source(filePath string) *source { return b.byPath[filePath] }

// clientOf tells whose a definition is: that of the client it was rendered for,
// or whose code is in front of its name.
func (b *builder) clientOf(d *definition) *Client {
	if d.client != nil {
		return d.client
	}
	if code, _, ok := strings.Cut(d.Name, "/"); ok && !d.Std {
		return b.ws.Clients[code]
	}
	return nil
}

// explain says in a finding about a rendered definition for which client it is,
// and where the template uses what the instance says.
func explain(f *diag.Diagnostic, c *Client, r *template.Definition) {
	code := c.Instance.Client
	f.Clients = []string{code}
	if strings.Contains(f.Message+f.Hint+f.Short, code+"/") {
		own := ownNames(c)
		for _, text := range []*string{&f.Message, &f.Hint, &f.Short} {
			*text = own.ReplaceAllString(*text, "$1$2")
		}
	}
	if f.Span.File != c.Path {
		f.Name = strings.TrimPrefix(f.Name, code+"/") // a line of the template speaks for all of them
	}
	for _, use := range r.Uses {
		v, ok := c.Value(use.Param)
		if !ok || !v.Node.Span.Contains(f.Span) || f.Span.File == use.At.File && use.At.Contains(f.Span) {
			continue
		}
		f.Related = append(f.Related, diag.Related{Span: use.At, Message: fmt.Sprintf("the template uses `%s` here", use.Param)})
		break
	}
}

// nearby rewrites the names of files that stand in an instance instead of the
// template, so that they are found beside the instance.
func (b *builder) nearby(d *definition, names ...*spec.Text) {
	for _, t := range names {
		if t.Set() {
			t.Value = b.nearbyName(d, t.Node, t.Value)
		}
	}
}

func (b *builder) nearbyName(d *definition, n *ast.Node, name string) string {
	if d.client == nil || n.Span.File == d.File.Path || path.Dir(n.Span.File) == path.Dir(d.File.Path) {
		return name
	}
	there := path.Join(path.Dir(n.Span.File), name)
	if !fs.ValidPath(there) {
		return name
	}
	if info, err := fs.Stat(b.fsys, there); err != nil || info.IsDir() {
		if _, err := fs.Stat(b.fsys, path.Clean(name)); err == nil {
			return name // from the root of the workspace
		}
	}
	return strings.Repeat("../", strings.Count(d.File.Path, "/")) + there
}

// nearbyGiven does the same for the files that a case is given.
func (b *builder) nearbyGiven(d *definition, n *ast.Node) *ast.Node {
	if d.client == nil || n == nil || n.Kind == ast.Map || GivenText(n) {
		return n
	}
	out := *n
	if n.Kind == ast.List {
		out.Items = slices.Clone(n.Items)
		for i, it := range out.Items {
			out.Items[i] = b.nearbyGiven(d, it)
		}
		return &out
	}
	if out.Text = b.nearbyName(d, n, n.Text); out.Text == n.Text {
		return n
	}
	out.Offsets = nil // places in the text are those of the whole
	return &out
}

// ownNames matches the full names of the definitions of a client: in its own
// files they are written without its code.
func ownNames(c *Client) *regexp.Regexp {
	var names []string
	for _, r := range c.Definitions {
		names = append(names, regexp.QuoteMeta(r.Name))
	}
	return regexp.MustCompile("(^|[\\s`(])" + regexp.QuoteMeta(c.Instance.Client) + "/(" + strings.Join(names, "|") + ")")
}

// candidates are the names that a reference can mean, in the order in which they
// win: those of the client, of the workspace, of the shipped library. What
// belongs to another client is none of them.
func (b *builder) candidates(ref string) []string {
	out := make([]string, 0, 3)
	if b.client != "" {
		out = append(out, b.client+"/"+ref)
	}
	if b.mine(ref) {
		out = append(out, ref)
	}
	return append(out, "std/"+ref)
}

// mine reports whether a name may be used where we are: in the definitions of a
// client, those of other clients may not.
func (b *builder) mine(name string) bool {
	code, _, slash := strings.Cut(name, "/")
	if b.client == "" || !slash || code == b.client {
		return true
	}
	b.ask(allClients, "")
	return b.ws.Clients[code] == nil
}

// near is a name as it is written where we are.
func (b *builder) near(name string) string {
	if b.client != "" {
		return strings.TrimPrefix(name, b.client+"/")
	}
	return name
}

// visible keeps the names that may be used where we are, as they are written.
func (b *builder) visible(names []string) []string {
	if b.client == "" {
		return names
	}
	var out []string
	for _, name := range names {
		if n := b.near(name); b.mine(name) && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// Unused reports whether a file belongs to a template and nobody looked at it:
// no client gets it, nor does any trial.
func (w *Workspace) Unused(file string) bool {
	used, part := w.parts[file]
	if !part || used {
		return false
	}
	for _, t := range w.Trials {
		if t.parts[file] {
			return false
		}
	}
	return true
}

// Untaken are the files of templates that no client gets.
func (w *Workspace) Untaken() map[string]bool {
	out := map[string]bool{}
	for file, used := range w.parts {
		if !used {
			out[file] = true
		}
	}
	return out
}

// LookupFor finds the crosswalk that a definition of a client, or of the
// workspace (""), means; nil where there is none.
func (w *Workspace) LookupFor(client, name string) *Lookup {
	b := &builder{ws: w, client: client}
	for _, full := range b.candidates(name) {
		if l := w.Lookups[full]; l != nil {
			return l
		}
	}
	return nil
}

// Ref is the full name of an operation that a definition of a client, or of the
// workspace (""), names.
func (w *Workspace) Ref(client, ref string) string {
	conn, op := splitRef(ref)
	if client != "" && w.Connections[client+"/"+conn] != nil {
		return client + "/" + conn + "." + op
	}
	return ref
}

// Hears returns the pipelines that hear an event which a definition of a client,
// or of the workspace (""), emits: other clients do not.
func (w *Workspace) Hears(event, client string) []*Pipeline {
	all := w.Listeners[event]
	foreign := func(p *Pipeline) bool { return client != "" && p.Client != "" && p.Client != client }
	if !slices.ContainsFunc(all, foreign) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), foreign)
}
