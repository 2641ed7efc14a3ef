package parser

import (
	"go.yaml.in/yaml/v4"

	"crossdock/dsl/diag"
)

// syntax explains a YAML error in the words of the language. It reports
// whether the cell was mended and the file can be read again.
func (p *parser) syntax(failure *yaml.LoadError) bool {
	at := diag.Point{Line: failure.Mark.Line, Col: failure.Mark.Column}
	p.report(at, at, "this is not valid YAML: %s", failure.Message)
	return false
}
