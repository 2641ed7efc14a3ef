package spec

import (
	"path"
	"reflect"
	"strings"
)

// Kind describes one kind of definition file.
type Kind struct {
	Name      string // the word of the first line
	Suffix    string // of the file name
	Available bool   // this version can run it
	Doc       string
}

// Kinds lists every kind of the language in the order people meet them.
var Kinds = []Kind{
	{"crossdock", "crossdock.yaml", true, "The workspace: language version, defaults and policies."},
	{"environment", ".environment.yaml", true, "Variables, secrets and reload rules of one place to run."},
	{"connection", ".connection.yaml", true, "Another system: address, credentials, limits and operations."},
	{"schema", ".schema.yaml", true, "The contract of a document or event."},
	{"lookup", ".lookup.yaml", true, "A crosswalk from codes of one system to those of another."},
	{"mapping", ".mapping.yaml", true, "A field table from one document to another."},
	{"pipeline", ".pipeline.yaml", true, "What starts work, how it is identified, and its steps."},
	{"test", ".test.yaml", true, "Cases for a mapping or a pipeline."},
	{"template", ".template.yaml", true, "A set of definitions with parameters, for many clients."},
	{"instance", ".instance.yaml", true, "One client's use of a template."},
	{"process", ".process.yaml", false, "A lifecycle with states, timers and late events."},
	{"api", ".api.yaml", false, "A synchronous business API."},
	{"reconciliation", ".reconciliation.yaml", false, "A scheduled comparison of two systems."},
	{"kpi", ".kpi.yaml", false, "A measured promise."},
}

// Keys returns the keys that a definition of the kind takes; none where this
// version cannot run the kind.
func (k Kind) Keys() []string {
	into := k.fresh()
	if into == nil {
		return nil
	}
	return Keys(reflect.TypeOf(into))
}

// fresh returns a pointer to an empty struct of the kind, nil where this version
// cannot run it.
func (k Kind) fresh() any {
	switch k.Name {
	case "crossdock":
		return &Workspace{}
	case "environment":
		return &Environment{}
	case "connection":
		return &Connection{}
	case "schema":
		return &Schema{}
	case "lookup":
		return &Lookup{}
	case "mapping":
		return &Mapping{}
	case "pipeline":
		return &Pipeline{}
	case "test":
		return &Test{}
	case "template":
		return &Template{}
	case "instance":
		return &Instance{}
	}
	return nil
}

// KindNames returns the names of all kinds.
func KindNames() []string {
	names := make([]string, 0, len(Kinds))
	for _, k := range Kinds {
		names = append(names, k.Name)
	}
	return names
}

// KindNamed returns the kind with that name.
func KindNamed(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// KindOfFile returns the kind that the name of a file announces.
func KindOfFile(file string) (Kind, bool) {
	base := path.Base(file)
	for _, k := range Kinds {
		if base == k.Suffix || (k.Suffix[0] == '.' && strings.HasSuffix(base, k.Suffix)) {
			return k, true
		}
	}
	return Kind{}, false
}
