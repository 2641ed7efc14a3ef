// Package jsonschema makes the JSON Schemas (draft 2020-12) by which editors
// complete and check definitions: one per kind of file, from the very structs
// that the loader decodes.
//
// Objects are closed, every key has its doc, and there is no oneOf, because
// editors report a mistake inside one as a mistake in all its branches. A schema
// refuses nothing that the loader accepts. Made for a workspace, the schemas
// also know its names: connections, operations, mappings, lookups, schemas,
// events, policies, verifications, and the target fields of every output schema.
package jsonschema

import (
	"encoding/json"
	"fmt"

	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
)

// File is the schema of one kind of definition.
type File struct {
	Name    string // "mapping.json"
	Glob    string // of the files it is for: "**/*.mapping.yaml"
	Kind    string
	Content []byte
}

// Options say for what the schemas are made.
type Options struct {
	Catalog   compile.Catalog
	Workspace *compile.Workspace // nil: any
}

// Draft is the dialect of the schemas.
const Draft = "https://json-schema.org/draft/2020-12/schema"

// Files returns the schemas of all kinds that this version can run.
func Files(opt Options) ([]File, error) {
	var out []File
	for _, k := range spec.Kinds {
		form := k.Form()
		if form == nil {
			continue
		}
		m := &maker{opt: opt, kind: k, defs: object{}, named: map[*spec.Form]string{}, taken: map[string]bool{}}
		raw, err := json.MarshalIndent(m.file(form), "", " ")
		if err != nil {
			return nil, fmt.Errorf("write the schema of %s: %w", k.Name, err)
		}
		out = append(out, File{Name: k.Name + ".json", Glob: Glob(k), Kind: k.Name, Content: append(raw, '\n')})
	}
	return out, nil
}

// Glob is the pattern of the files of a kind.
func Glob(k spec.Kind) string {
	if k.Suffix[0] == '.' {
		return "**/*" + k.Suffix
	}
	return "**/" + k.Suffix
}

type object = map[string]any

// maker makes the schema of one kind.
type maker struct {
	opt   Options
	kind  spec.Kind
	defs  object
	named map[*spec.Form]string
	taken map[string]bool
}

func (m *maker) file(form *spec.Form) object {
	s := m.body(form)
	s["$schema"] = Draft
	s["title"] = "crossdock " + m.kind.Name
	s["description"] = m.kind.Doc
	s["type"] = "object"
	switch m.kind.Name {
	case "connection":
		m.connection(s)
	case "test":
		m.test(s)
	case "mapping":
		m.targets(s)
	}
	if snippet := snippets[m.kind.Name]; snippet != nil {
		s["defaultSnippets"] = snippet
	}
	if len(m.defs) > 0 {
		s["$defs"] = m.defs
	}
	return s
}

// connection gives each type of connection the keys of its own.
func (m *maker) connection(s object) {
	if m.opt.Catalog == nil {
		return
	}
	delete(s, "additionalProperties")
	s["properties"].(object)["operations"] = object{} // what may stand there depends on the type
	var all []any
	for _, typ := range m.opt.Catalog.Types() {
		form := spec.ConnectionForm(m.opt.Catalog.Settings(typ), m.opt.Catalog.Operation(typ))
		m.defs[typ] = m.body(form)
		all = append(all, object{
			"if":   object{"properties": object{"type": object{"const": typ}}, "required": []string{"type"}},
			"then": object{"$ref": "#/$defs/" + typ},
		})
	}
	s["allOf"] = all
}

// test tells tests of mappings and of pipelines apart.
func (m *maker) test(s object) {
	cases := func(properties object) object {
		return object{"properties": object{"cases": object{"items": object{"properties": properties}}}}
	}
	of := func(pattern string) object {
		return object{"properties": object{"test": object{"pattern": pattern}}, "required": []string{"test"}}
	}
	s["allOf"] = []any{
		object{"if": of("^mapping "), "then": cases(object{"stubs": false})},
		object{"if": of("^pipeline "), "then": cases(object{"absent": false, "expect": m.of(expectation())})},
	}
}
