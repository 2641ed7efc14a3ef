package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/lookup"
)

// Formats are the forms in which a catalogue can be written.
var Formats = []string{"md", "csv", "xlsx"}

// File is one file of a catalogue.
type File struct {
	Path string // with slashes, below the folder of the catalogue
	Data []byte
}

// Write returns the files of the catalogue in the given formats, sorted by path.
// md has pages for everything, csv a file per mapping and table, xlsx one
// workbook with all of them.
func (c *Catalogue) Write(formats ...string) ([]File, error) {
	var out []File
	add := func(path string, data []byte) { out = append(out, File{path, data}) }
	for _, f := range formats {
		switch f {
		case "md":
			c.pages(add)
		case "csv":
			for _, m := range c.mappings {
				s := c.sheet(m)
				raw, err := csvFile(s.table())
				if err != nil {
					return nil, err
				}
				add("mappings/"+fileName(s.Name)+".csv", raw)
			}
			for _, l := range c.lookups {
				raw, err := csvFile(codes(l))
				if err != nil {
					return nil, err
				}
				add("lookups/"+fileName(plainName(l.Name))+".csv", raw)
			}
		case "xlsx":
			raw, err := c.workbook()
			if err != nil {
				return nil, err
			}
			add("mappings.xlsx", raw)
		default:
			return nil, fmt.Errorf("there is no format `%s`: use %s", f, strings.Join(Formats, ", "))
		}
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(out); i++ {
		if strings.EqualFold(out[i].Path, out[i-1].Path) {
			return nil, fmt.Errorf("two definitions would have the page %s: rename one of them", out[i].Path)
		}
	}
	return out, nil
}

func (c *Catalogue) pages(add func(string, []byte)) {
	add("README.md", c.indexPage())
	for _, m := range c.mappings {
		s := c.sheet(m)
		add("mappings/"+fileName(s.Name)+".md", c.mappingPage(&s))
	}
	for _, l := range c.lookups {
		add("lookups/"+fileName(plainName(l.Name))+".md", c.lookupPage(l))
	}
	for _, p := range c.pipelines {
		add("pipelines/"+fileName(plainName(p.Name))+".md", c.pipelinePage(p))
	}
	for _, n := range c.connections {
		add("connections/"+fileName(plainName(n.Name))+".md", c.connectionPage(n))
	}
	for _, s := range c.schemas {
		add("schemas/"+fileName(plainName(s.Name))+".md", c.schemaPage(s))
	}
}

// indexPage is the first page: the map, then everything by kind.
func (c *Catalogue) indexPage() []byte {
	title := "What moves between the systems"
	if c.ws.Name != "" {
		title = "What moves between the systems of " + escape(c.ws.Name)
	}
	p := newPage(title, "")
	p.line("Made from the definitions by `crossdock docs build`; revision %s.\n", c.ws.Revision[:min(12, len(c.ws.Revision))])
	if len(c.pipelines) > 0 {
		p.section("The map")
		p.line("Rounded: what starts work. Boxes: pipelines. Flags: events. Drums: other systems, with what is asked of them.\n")
		p.chart(c.eventMap())
	}
	list := func(title, folder string, head []string, rows [][]string) {
		if len(rows) > 0 {
			p.section(title)
			p.table(head, rows)
		}
	}
	var rows [][]string
	for _, x := range c.pipelines {
		rows = append(rows, []string{p.link("pipelines", x.Name), escape(triggerWords(x)), escape(x.Spec.Description.Value)})
	}
	list("Pipelines", "pipelines", []string{"Pipeline", "Starts with", "What it is for"}, rows)
	rows = nil
	for _, e := range c.events() {
		rows = append(rows, []string{p.link("schemas", e.schema.Name), c.pipelineLinks(p, e.emitted), c.pipelineLinks(p, e.heard)})
	}
	list("Events", "schemas", []string{"Event", "Told by", "Heard by"}, rows)
	rows = nil
	for _, m := range c.mappings {
		s := c.sheet(m)
		rows = append(rows, []string{p.link("mappings", m.Name), c.schemaLink(p, s.Input), c.schemaLink(p, s.Output), fmt.Sprint(len(s.Fields)), escape(s.Description)})
	}
	list("Mappings", "mappings", []string{"Mapping", "From", "To", "Fields", "What it is for"}, rows)
	rows = nil
	for _, l := range c.lookups {
		rows = append(rows, []string{p.link("lookups", l.Name), fmt.Sprint(len(l.Table.Codes())), missWords(l.Table), escape(l.Spec.Description.Value)})
	}
	list("Tables of codes", "lookups", []string{"Table", "Codes", "Unknown code", "What it is for"}, rows)
	rows = nil
	for _, n := range c.connections {
		rows = append(rows, []string{p.link("connections", n.Name), n.Type, fmt.Sprint(len(n.Operations)), escape(n.Spec.Description.Value)})
	}
	list("Connections", "connections", []string{"System", "Type", "Operations", "What it is for"}, rows)
	rows = nil
	for _, s := range c.schemas {
		rows = append(rows, []string{p.link("schemas", s.Name), fmt.Sprint(len(s.Schema.Fields())), escape(s.Spec.Description.Value)})
	}
	list("Schemas", "schemas", []string{"Schema", "Fields", "What it describes"}, rows)
	return p.bytes()
}

func (c *Catalogue) schemaLink(p *page, name string) string {
	if name == "" {
		return ""
	}
	return p.link("schemas", name)
}

func (c *Catalogue) pipelineLinks(p *page, list []*compile.Pipeline) string {
	var out []string
	for _, x := range list {
		out = append(out, p.link("pipelines", x.Name))
	}
	return strings.Join(out, ", ")
}

// mappingPage is a mapping, field by field.
func (c *Catalogue) mappingPage(s *Sheet) []byte {
	p := newPage("Mapping "+escape(s.Name), "../")
	p.prose(s.Description)
	var facts []string
	if s.Input != "" {
		facts = append(facts, "from "+p.link("schemas", s.Input))
	}
	if s.Output != "" {
		facts = append(facts, "to "+p.link("schemas", s.Output))
	}
	for _, name := range s.Pipelines {
		facts = append(facts, "used by "+p.link("pipelines", name))
	}
	if len(facts) > 0 {
		p.line("%s\n", strings.Join(facts, "; "))
	}
	if s.Program != "" {
		p.line("The whole of it is computed by the program %s.\n", code(s.Program))
	}
	if s.Sample != "" {
		p.line("Examples are made from %s.\n", code(s.Sample))
	}
	var rows [][]string
	for _, f := range s.Fields {
		rule := escape(f.Rule)
		if f.Cell != "" {
			rule += " " + code(f.Cell)
		}
		rows = append(rows, []string{code(f.Target), escape(f.Type), yes(f.Required), codes1(f.Sources), rule, c.tableLink(p, f.Lookup),
			code(f.Default), escape(f.Convert), example(f), yes(f.Personal), escape(f.Note)})
	}
	p.table([]string{"Target", "Type", "Required", "Source", "Rule", "Lookup", "Default", "Dates, units, lengths", "Example", "Personal", "Note"}, rows)
	if len(s.Helpers) > 0 {
		p.section("Helper values")
		rows = nil
		for _, h := range s.Helpers {
			rows = append(rows, []string{code(h.Name), codes1(h.Sources), strings.TrimSpace(escape(h.Rule) + " " + code(h.Cell))})
		}
		p.table([]string{"Name", "Source", "Rule"}, rows)
	}
	if len(s.Never) > 0 {
		p.section("What this source never has")
		p.line("%s\n", codes1(s.Never))
	}
	if len(s.Unfilled) > 0 {
		p.section("Target fields that are not filled")
		p.line("%s\n", codes1(s.Unfilled))
	}
	return p.bytes()
}

func example(f Field) string {
	if f.Personal {
		return escape(f.Example)
	}
	return code(f.Example)
}

// tableLink turns the first words of a lookup cell into a link.
func (c *Catalogue) tableLink(p *page, words string) string {
	name, rest, _ := strings.Cut(strings.TrimPrefix(words, "table "), ";")
	table, column, _ := strings.Cut(name, ", column ")
	if words == "" || !strings.HasPrefix(words, "table ") {
		return escape(words)
	}
	out := p.link("lookups", table)
	if column != "" {
		out += ", column " + code(column)
	}
	return out + ";" + rest
}

func (c *Catalogue) lookupPage(l *compile.Lookup) []byte {
	p := newPage("Table "+escape(plainName(l.Name)), "../")
	p.prose(l.Spec.Description.Value)
	words := missWords(l.Table)
	p.line("%s%s.\n", strings.ToUpper(words[:1]), words[1:])
	if l.Table.OnMiss == lookup.Default {
		p.line("The default is %s.\n", code(text(l.Spec.Default.V)))
	}
	var used []string
	for _, m := range c.mappings {
		if slices.Contains(c.tables(m), l.Name) {
			used = append(used, p.link("mappings", m.Name))
		}
	}
	if len(used) > 0 {
		p.line("Used by %s.\n", strings.Join(used, ", "))
	}
	rows := codes(l)
	var cells [][]string
	for _, r := range rows[1:] {
		line := make([]string, len(r))
		for i, v := range r {
			line[i] = code(v)
		}
		cells = append(cells, line)
	}
	p.table(rows[0], cells)
	return p.bytes()
}

func (c *Catalogue) schemaPage(s *compile.Schema) []byte {
	p := newPage("Schema "+escape(plainName(s.Name)), "../")
	p.prose(s.Spec.Description.Value)
	for _, e := range c.events() {
		if e.schema != s {
			continue
		}
		if len(e.names) > 0 {
			p.line("As an event it is heard as %s.\n", codes1(e.names))
		}
		p.table([]string{"Told by", "Heard by"}, [][]string{{c.pipelineLinks(p, e.emitted), c.pipelineLinks(p, e.heard)}})
	}
	var rows [][]string
	for _, f := range s.Schema.Fields() {
		kind, options, note := "", "", ""
		required := false
		if f.Shape != nil {
			kind, note, required = f.Shape.Type.String(), f.Shape.Note, f.Shape.Required
			options = codes1(f.Shape.Options)
		}
		rows = append(rows, []string{code(f.Path), kind, yes(required), options, yes(f.PII), escape(note)})
	}
	p.table([]string{"Field", "Type", "Required", "One of", "Personal", "Note"}, rows)
	if s.Schema.Closed {
		p.line("Other fields are refused.\n")
	}
	return p.bytes()
}
