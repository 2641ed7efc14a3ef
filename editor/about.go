package editor

import (
	"fmt"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// aboutOperation tells what an operation does, in Markdown.
func (s *State) aboutOperation(ref string) string {
	op := s.Workspace.Operation(ref)
	if op == nil || op.Spec == nil || op.Spec.Node == nil {
		return ""
	}
	var parts []string
	for _, p := range op.Spec.Node.Pairs {
		if p.Value.Kind == ast.Scalar && !strings.Contains(p.Value.Text, "${secret") {
			parts = append(parts, p.Key.Text+": "+oneLine(p.Value.Text, 70))
		}
	}
	text := "```yaml\n" + strings.Join(parts, "\n") + "\n```"
	if op.Repeat != "" {
		text += "\n\nDone twice: " + string(op.Repeat) + "."
	}
	for name, needed := range op.Bound {
		if needed {
			text += " Needs `" + name + "` in `with`."
		}
	}
	return text
}

// maxPreview is how many rows of a table are shown.
const maxPreview = 12

// aboutLookup shows the first rows of a table; of one column where it is named.
func (s *State) aboutLookup(name, column string) string {
	l := s.Workspace.Lookups[name]
	if l == nil || l.Table == nil {
		return ""
	}
	columns := l.Table.Columns
	if column != "" {
		columns = []string{column}
	}
	var b strings.Builder
	if l.Spec != nil && l.Spec.Description.Value != "" {
		b.WriteString(l.Spec.Description.Value + "\n\n")
	}
	head := columns
	if len(head) == 0 {
		head = []string{"value"}
	}
	b.WriteString("| code | " + strings.Join(head, " | ") + " |\n|---" + strings.Repeat("|---", len(head)) + "|\n")
	codes := l.Table.Codes()
	for _, code := range codes[:min(len(codes), maxPreview)] {
		row := []string{code}
		for _, c := range head {
			if len(columns) == 0 {
				c = ""
			}
			v, err := l.Table.Find(code, c)
			if err != nil {
				v = nil
			}
			row = append(row, strings.ReplaceAll(preview(v, 40), "|", `\|`))
		}
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	if more := len(codes) - maxPreview; more > 0 {
		fmt.Fprintf(&b, "\n%d more.", more)
	}
	if l.Spec != nil && l.Spec.OnMiss.Value != "" {
		b.WriteString("\nAn unknown code: " + l.Spec.OnMiss.Value + ".")
	}
	return b.String()
}

// aboutSymbol tells what a name stands for.
func (s *State) aboutSymbol(sym Symbol) string {
	switch sym.Kind {
	case "param":
		return s.aboutParam(sym)
	case "template":
		if t := s.Workspace.Templates[sym.Name]; t != nil {
			return t.Spec.Description.Value + fmt.Sprintf("\n\n%d parameters, %d files.", len(t.Params), len(t.Parts()))
		}
	}
	s, sym = s.concrete(sym)
	ws := s.Workspace
	switch sym.Kind {
	case "operation":
		return s.aboutOperation(sym.Name)
	case "lookup":
		return s.aboutLookup(sym.Name, "")
	case "column":
		name, column, _ := strings.Cut(sym.Name, "#")
		return s.aboutLookup(name, column)
	case "field":
		return s.aboutField(sym)
	case "mapping":
		if m := ws.Mappings[sym.Name]; m != nil && m.Spec != nil {
			text := m.Spec.Description.Value
			for _, io := range []struct {
				word string
				name spec.Text
			}{{"from", m.Spec.Input}, {"to", m.Spec.Output}} {
				if io.name.Set() {
					text += "\n\n" + io.word + " `" + io.name.Value + "`"
				}
			}
			return fmt.Sprintf("%s\n\n%d rows", text, len(m.Spec.Fields))
		}
	case "schema":
		if sc := ws.Schemas[sym.Name]; sc != nil {
			text := sc.Spec.Description.Value
			if names, known := sc.EventNames(); known {
				text += "\n\nHeard as `" + strings.Join(names, "`, `") + "`."
			}
			return text + fmt.Sprintf("\n\n%d fields", len(sc.Schema.Fields()))
		}
	case "connection":
		if c := ws.Connections[sym.Name]; c != nil {
			return fmt.Sprintf("%s\n\nType %s, %d operations.", c.Spec.Description.Value, c.Type, len(c.Operations))
		}
	case "policy":
		if p := ws.Policies[sym.Name]; p != nil {
			return fmt.Sprintf("Priority %s, up to %d attempts, remembers for %s.", []string{"critical", "high", "normal", "low"}[p.Priority], p.Retry.Attempts, p.Remember)
		}
	case "pipeline":
		if p := ws.Pipelines[sym.Name]; p != nil && p.Spec != nil {
			return p.Spec.Description.Value
		}
	case "var":
		if ws.Environment != nil {
			if v, ok := ws.Environment.Vars[sym.Name]; ok {
				return "`" + preview(v, 80) + "` in environment " + ws.Environment.Name
			}
		}
	}
	return ""
}

// aboutParam tells what an instance says there.
func (s *State) aboutParam(sym Symbol) string {
	of, name, _ := strings.Cut(sym.Name, "#")
	t := s.Workspace.Templates[of]
	if t == nil {
		return ""
	}
	for _, p := range t.Params {
		if p.Name != name {
			continue
		}
		text := p.Type.String()
		if p.Required {
			text += ", required"
		}
		if len(p.Options) > 0 {
			text += ": " + strings.Join(p.Options, ", ")
		}
		if p.Default != nil {
			text += "\n\nUnless it is said: `" + preview(spec.Plain(p.Default), 60) + "`"
		}
		return text + "\n\n" + p.Note + "\n\nparameter of " + of
	}
	return ""
}

func (s *State) aboutField(sym Symbol) string {
	name, field, _ := strings.Cut(sym.Name, "#")
	sc := s.Workspace.Schemas[name]
	if sc == nil {
		return ""
	}
	step, _, ok := sc.Schema.Shape().At(schema.Split(field))
	if !ok || step.Shape == nil {
		return ""
	}
	text := typeWords(step.Shape)
	if step.PII {
		text += ", personal data"
	}
	if step.Shape.Note != "" {
		text += "\n\n" + step.Shape.Note
	}
	return text + "\n\n`" + field + "` of " + name
}

// Hover is what there is to say about a place.
type Hover struct {
	Text string // Markdown
	Span diag.Span
}
