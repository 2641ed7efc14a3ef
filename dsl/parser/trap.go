package parser

import (
	"go.yaml.in/yaml/v4"

	"crossdock/dsl/diag"
)

// traps looks for cells that YAML read without complaint but not as they were
// meant. It reports whether a cell was mended and the file has to be read again.
func (p *parser) traps(docs []*yaml.Node) bool {
	return false
}

// manyDocuments reports that the file goes on behind its first document.
func (p *parser) manyDocuments(docs []*yaml.Node) {
	at := diag.Point{Line: docs[1].Line, Col: docs[1].Column}
	p.report(at, at, "a file holds one definition, but a second document starts here").
		Hint = "move what follows into a file of its own"
}
