package compile

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
)

// Unit is one definition as it was compiled, with everything it was compiled
// with. A later load uses it again, the very same pointers, as long as nothing
// of that has changed.
type Unit struct {
	Definition
	Cells []*cell.Cell // nil once dropped
	Found diag.List    // what compiling found; not what reading the file found

	// What it became: one of them, or none where it has errors.
	Lookup     *Lookup
	Schema     *Schema
	Connection *Connection
	Mapping    *Mapping
	Pipeline   *Pipeline
	Test       *Test

	parsed *parsed
	key    string  // of its source
	client *Client // for which it was rendered; nil otherwise
	of     *template.Definition
	needs  map[need]any      // what was asked for, with the answers
	beside map[string][]byte // hashes of the files it names, by path
	tables tables
	work   *builder // while it is compiled
}

// Said returns what was found in the file while reading and compiling it.
func (u *Unit) Said() diag.List { return append(slices.Clip(u.parsed.list), u.Found...) }

// Explain says in a finding about the unit for which client it is.
func (u *Unit) Explain(d *diag.Diagnostic) {
	switch {
	case u.client != nil:
		explain(d, u.client, u.of)
	case u.Client != "":
		d.Clients = []string{u.Client}
	}
}

// need is a question about the rest of the workspace.
type need struct {
	what question
	name string
}

type question uint8

// The questions. Answers are compared with ==: they are pointers of compiled
// definitions, the same as long as nothing about the definition has changed, or
// texts.
const (
	aLookup question = iota
	aSchema
	aMapping
	aConnection
	aPipeline
	namesOf        // the names of a kind, in one text
	isDefined      // whether kind/name exists, with errors or without
	fileBeside     // what a file holds that is named in a definition: from NUL name
	base           // crossdock.yaml, environments and variables
	allSchemas     // the set of them
	allConnections // their texts, and all schemas
	allClients     // their codes
	isUntrusted    // whether cells of the file run in the sandbox
)

// answer answers a question from what is known so far.
func (b *builder) answer(n need) any {
	switch n.what {
	case aLookup:
		return b.ws.Lookups[n.name]
	case aSchema:
		return b.ws.Schemas[n.name]
	case aMapping:
		return b.ws.Mappings[n.name]
	case aConnection:
		return b.ws.Connections[n.name]
	case aPipeline:
		return b.ws.Pipelines[n.name]
	case namesOf:
		client, kind, _ := strings.Cut(n.name, "\x00")
		in := *b
		in.client = client
		return strings.Join(in.names(kind), "\x00")
	case isDefined:
		kind, name, _ := strings.Cut(n.name, "/")
		return b.named[kind][name] != nil
	case fileBeside:
		from, name, _ := strings.Cut(n.name, "\x00")
		return stateOf(ReadBeside(b.fsys, b.opt.Std, from, name))
	case isUntrusted:
		_, strict := b.ws.Untrusted(n.name)
		return strict
	case base:
		return b.base
	case allSchemas:
		return b.schemaID
	case allClients:
		return strings.Join(sortedKeys(b.ws.Clients), "\x00")
	default:
		return b.connectionsID
	}
}

// stateOf tells contents of a file, and reasons why it cannot be read, apart.
func stateOf(raw []byte, at string, err error) string {
	if err != nil {
		return at + " error " + err.Error()
	}
	return fmt.Sprintf("%s %x", at, sha256.Sum256(raw))
}

// ask answers a question and notes that the definition being compiled asked it.
func (b *builder) ask(what question, name string) any {
	n := need{what, name}
	a := b.answer(n)
	switch {
	case b.unit == nil:
	case b.probing && (what == aConnection || what == namesOf && strings.HasSuffix(name, "\x00connection")):
		// Connections may name each other in a circle.
		b.unit.needs[need{what: allConnections}] = b.connectionsID
	default:
		b.unit.needs[n] = a
	}
	return a
}

// knownNames lists the names of a kind, for suggestions.
func (b *builder) knownNames(kind string) []string {
	b.ask(namesOf, b.client+"\x00"+kind)
	return b.names(kind)
}

// names lists the names of a kind that may be used where we are.
func (b *builder) names(kind string) []string { return b.visible(b.allNames(kind)) }

func (b *builder) allNames(kind string) []string {
	switch kind {
	case "lookup":
		return sortedKeys(b.ws.Lookups)
	case "schema":
		return sortedKeys(b.ws.Schemas)
	case "mapping":
		return sortedKeys(b.ws.Mappings)
	case "connection":
		return sortedKeys(b.ws.Connections)
	}
	return sortedKeys(b.ws.Pipelines)
}

// read reads a file named in the definition at from and notes what it held.
func (b *builder) read(from, name string) ([]byte, string, error) {
	raw, at, err := ReadBeside(b.fsys, b.opt.Std, from, name)
	if b.unit != nil {
		b.unit.needs[need{fileBeside, from + "\x00" + name}] = stateOf(raw, at, err)
	}
	return raw, at, err
}

// samples notes what the samples of a definition hold: dsl/lint looks at them.
func (b *builder) samples(from string, names []spec.Text) {
	for _, s := range names {
		b.read(from, s.Value) // lint says what cannot be read
	}
}

// tables are the crosswalks that the cells of one definition name. Running
// cells find them here, so that a definition keeps no others alive.
type tables struct {
	byName map[string]*lookup.Table
	find   func(name string) *lookup.Table // while compiling
}

func (t *tables) get(name string) *lookup.Table {
	if found, there := t.byName[name]; there || t.find == nil {
		return found
	}
	found := t.find(name)
	t.byName[name] = found
	return found
}

// compileAll compiles the definitions of one kind on all processors, those that
// cannot be used again from the last load.
func (b *builder) compileAll(kind string, build func(b *builder, d *definition)) []*Unit {
	defs := b.defs[kind]
	units := make([]*Unit, len(defs))
	inParallel(len(defs), func(i int) { units[i] = b.unitOf(defs[i], build) })
	return units
}

// unitOf returns the unit of the last load where that still holds, else a new
// one.
func (b *builder) unitOf(d *definition, build func(b *builder, d *definition)) *Unit {
	d.Client = ""
	if c := b.clientOf(d); c != nil {
		d.Client = c.Instance.Client
	}
	if c := b.opt.Cache; c != nil {
		if u := c.units[d.source.key]; u != nil && u.parsed.sum == d.source.sum && u.Kind == d.Kind && u.Name == d.Name && u.Client == d.Client && b.holds(u) {
			return u
		}
	}
	d.source.whole()
	d.File, d.node = d.source.file, d.source.file.Root
	u := &Unit{parsed: d.source.parsed, key: d.source.key, needs: map[need]any{}}
	inner := *b
	inner.client = d.Client
	if d.client != nil {
		inner.params = d.client.JSON()
	}
	u.Definition, u.client, u.of = d.Definition, d.client, d.rendered
	inner.unit, inner.diags, inner.beside = u, nil, map[string][]byte{}
	u.work = &inner
	u.tables = tables{byName: map[string]*lookup.Table{}, find: inner.findTable}
	inner.cells = &cell.Compiler{Diags: &inner.diags, Lookup: u.tables.get, Tables: inner.visible(b.tableNames), Sandbox: inner.cellsOf(d)}
	if inner.cells.Sandbox != nil {
		d.Digest += " sandbox"
	}
	if d.client != nil {
		inner.cells.Params = cell.Shape{Schema: d.client.Of.Shape}
	}
	build(&inner, d)
	if slices.ContainsFunc(inner.cells.Cells, func(c *cell.Cell) bool { return strings.Contains(c.Node.Text, "vars") }) {
		inner.ask(base, "") // lint knows which variables there are
	}
	return u
}

// holds reports whether every answer that a unit was compiled with is still the
// same.
func (b *builder) holds(u *Unit) bool {
	for n, before := range u.needs {
		if n.what != fileBeside && b.answer(n) != before {
			return false
		}
	}
	for n, before := range u.needs { // these cost more
		if n.what == fileBeside && b.answer(n) != before {
			return false
		}
	}
	return true
}

// take adds finished units to the workspace.
func (b *builder) take(units []*Unit) {
	for _, u := range units {
		if w := u.work; w != nil {
			u.Cells, u.Found, u.beside = w.cells.Cells, w.diags, w.beside
			for i := range u.Found {
				u.Explain(&u.Found[i])
			}
			u.tables.find, u.work = nil, nil
		}
		b.diags.Add(u.Found...)
		for at, sum := range u.beside {
			b.beside[at] = sum
		}
		b.ws.Units = append(b.ws.Units, u)
		b.ws.Cells = append(b.ws.Cells, u.Cells...)
	}
}

// surroundings are what gives a definition another meaning although it reads
// the same: the crosswalks that it names, and the sandbox.
func (u *Unit) surroundings() []string {
	var out []string
	for n, a := range u.needs {
		if n.what == isUntrusted && a == true {
			out = append(out, "sandbox")
		}
		if l, ok := a.(*Lookup); ok && l != nil {
			out = append(out, l.Digest)
		}
	}
	slices.Sort(out)
	return out
}

// inParallel calls f for 0 to n-1 on all processors.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
