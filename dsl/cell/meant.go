package cell

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/jq"
	"crossdock/dsl/value"
)

// steps are the results that a cell can read as $steps.NAME.
func (c Context) steps() []string {
	var names []string
	for name := range c.VarShapes {
		if step, ok := strings.CutPrefix(name, "steps."); ok {
			names = append(names, step)
		}
	}
	return names
}

// has reports whether a shape is known to have a field.
func (s Shape) has(name string) bool {
	k := s.Known()
	return k != nil && k.Type.Base != value.List && k.Fields[name] != nil
}

// named says where the name is that a cell wants in vain: the answer of a step, a
// field of the payload, or of the payload as it came.
func (c Context) named(p *jq.Problem, src string) {
	name := strings.TrimPrefix(p.Name, "$")
	if name == "" || p.Kind != jq.Unknown {
		return
	}
	variable := p.Name[0] == '$'
	meant := ""
	switch {
	case slices.Contains(c.steps(), name) && !(p.Name == "$steps"):
		meant = "$steps." + name
		p.Message += ", but a step keeps its answer as `" + name + "`"
	case !variable || p.Replace != "":
		return
	case c.Shape.has(name):
		meant = "." + name
	case c.VarShapes["original"].has(name):
		meant = "$original." + name
	default:
		return
	}
	p.Hint, p.Replace = "did you mean `"+meant+"`?", meant
}

// address is that of mail.
var address = regexp.MustCompile(`^[\w.+-]+@[\w-]+(\.[\w-]+)+$`)

// prose are words as people write them, and no jq; oneWord is a single one.
var (
	prose   = regexp.MustCompile(`^[A-Za-z][\w'\x60-]*[,.!?]?( [\w'\x60(-][\w'\x60)-]*[,.:!?]?)+$`)
	oneWord = regexp.MustCompile(`^[A-Za-z][\w-]*$`)
	working = regexp.MustCompile(`\b(and|or|as|then|elif|else|end|if|try|catch|reduce|foreach|def|not)\b`)
)

// plainText rewords what is wrong with a cell that is a text and no jq: quotes
// around a whole value belong to YAML, so a fixed value has a key of its own.
func plainText(n *ast.Node, at Context, problems []jq.Problem) []jq.Problem {
	if len(problems) == 0 || problems[0].Warning {
		return problems
	}
	text := strings.TrimSpace(n.Text)
	if first := problems[0]; at.Role != "from" {
		if (prose.MatchString(text) && !working.MatchString(text) || address.MatchString(text)) && first.Kind == jq.Syntax {
			return []jq.Problem{{Kind: jq.Syntax, To: len(n.Text), Message: "this is a text, and a cell is jq",
				Hint: "a text of jq has quotes of its own: '\"" + text + "\"'"}}
		}
		return problems
	}
	switch first := problems[0]; {
	case (prose.MatchString(text) && !working.MatchString(text) || address.MatchString(text)) && (first.Kind == jq.Syntax || first.Kind == jq.Unknown):
		hint := "a fixed text is {const: " + text + "}"
		if n.Style == ast.DoubleQuoted || n.Style == ast.SingleQuoted {
			hint = "quotes around the whole value belong to YAML; " + hint
		}
		return []jq.Problem{{Kind: jq.Syntax, To: len(n.Text), Message: "this is a text, and a cell is jq", Hint: hint}}
	case oneWord.MatchString(text) && first.Kind == jq.Unknown && strings.HasSuffix(first.Hint, ", a text \""+text+"\""):
		first.Hint = strings.TrimSuffix(first.Hint, ", a text \""+text+"\"") + ", a fixed text {const: " + text + "}"
		return append([]jq.Problem{first}, problems[1:]...)
	}
	return problems
}
