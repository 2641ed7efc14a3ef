package compile

import (
	"crypto/sha256"
	"maps"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/template"
)

// Cache remembers what a load made, so that the next load of the same workspace
// makes only what changed: files are known by their content, definitions by
// their file and by everything they were compiled with. A load with a Cache
// gives what a load without one would give.
//
// The zero value is empty and ready for use. A Cache belongs to one Catalog and
// one shipped library, and to one load at a time.
type Cache struct {
	files    map[string]*parsed // by path
	units    map[string]*Unit   // by path
	schemas  map[string]*Schema
	schemaID *int // stands for schemas: another set, another pointer

	templates map[string]*template.Template // by what they are made of
	instances map[string]*rendering         // by path
}

// source is one file of the workspace, or of the library, as it is now.
type source struct {
	*parsed
	path  string
	key   string // what the cache knows it by
	raw   []byte
	std   bool
	again func() *parsed // of a rendered definition: makes it anew
}

// parsed is what a file says by itself.
type parsed struct {
	sum     [sha256.Size]byte
	file    *ast.File
	list    diag.List
	head    *ast.Pair // kind and name; nil where there are none
	meaning string
	secrets []string // the names of those it uses
	dropped bool     // the tree is gone, see Workspace.Drop
}

// parse reads a file, or takes what the cache has of it.
func (s *source) parse(c *Cache) {
	sum := sha256.Sum256(s.raw)
	if c != nil {
		if p := c.files[s.key]; p != nil && p.sum == sum {
			s.parsed = p
			return
		}
	}
	s.parsed = newParsed(s.path, s.raw, sum)
}

func newParsed(path string, raw []byte, sum [sha256.Size]byte) *parsed {
	p := &parsed{sum: sum}
	p.file, p.list = parser.Parse(path, raw)
	root := p.file.Root
	if root == nil {
		return p
	}
	p.meaning, p.secrets = meaning(root), secretNames(root)
	if root.Kind == ast.Map && len(root.Pairs) > 0 {
		p.head = &ast.Pair{Key: root.Pairs[0].Key, Value: root.Pairs[0].Value}
	}
	return p
}

// whole makes sure that the tree is there.
func (s *source) whole() {
	if s.dropped && s.again != nil {
		s.parsed = s.again()
	} else if s.dropped {
		s.parsed = newParsed(s.path, s.raw, s.sum)
	}
}

// keep remembers a load for the next one.
func (c *Cache) keep(b *builder, files []*source) {
	c.files, c.units = make(map[string]*parsed, len(files)), make(map[string]*Unit, len(b.ws.Units))
	for _, s := range files {
		c.files[s.key] = s.parsed
	}
	for _, u := range b.ws.Units {
		c.units[u.key] = u
	}
	c.templates, c.instances = b.templates, b.instances
	c.schemas, c.schemaID = maps.Clone(b.ws.Schemas), b.schemaID
}

// Drop lets go of what only looking at definitions needs: the trees of files,
// their text, and the cells and rows of mappings as they were written. What runs
// stays, and so does what a Cache needs to use it again. It is called once,
// after the workspace was checked and before it is shared.
func (w *Workspace) Drop() {
	for _, u := range w.Units {
		u.drop()
	}
	for _, f := range w.Files {
		if f.Source != nil {
			f.Source = nil
		}
	}
	for _, t := range w.Trials {
		t.Drop()
	}
	w.Cells, w.Trials = nil, nil
}

// drop changes nothing where that was done before: then others may read it.
func (u *Unit) drop() {
	if u.parsed.dropped {
		return
	}
	for _, c := range u.Cells {
		if c.JQ != nil {
			c.JQ.Forget()
		}
	}
	u.Cells = nil
	if u.Mapping != nil {
		u.Mapping.Spec = nil
	}
	u.parsed.dropped = true
	u.File.Root = nil
}
