// Package parser turns the bytes of one definition file into a tree.
//
// The tree holds text exactly as it was written: 0123 keeps its zero and
// 2026-05-16 is no date, because types belong to the schema and not to YAML.
// Every value knows where it stands, and a scalar knows where each of its
// characters stands, in every YAML style.
//
// The language uses a small, predictable part of YAML. Tags, anchors, aliases,
// merge keys, tabs in the indentation, repeated keys and several documents in
// one file are refused. Where YAML would silently change an expression or stop
// with a message about its own grammar, the finding says what happened to the
// expression and what to type instead.
//
// Parse has no state: it may be called from many goroutines.
package parser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Code is the code of every finding of this package: YAML does not give what
// was meant.
const Code diag.Code = "XD1002"

// Limits of one definition file.
const (
	MaxBytes = 1 << 20
	MaxDepth = 100
)

// effort bounds how often a file of some size is read again behind a mistake,
// so that no file, however large or strange, keeps a check busy for long.
func effort(size, most int) int { return max(4, min(most, 4*MaxBytes/max(size, 1))) }

// Parse reads one definition file. path is what findings and spans name it.
//
// The file is never nil. Its Root is nil where the structure of the file is in
// doubt; a mistake that concerns a single cell leaves the Root in place, with
// the cell's text as its author meant it. The findings are in reading order.
func Parse(path string, src []byte) (*ast.File, diag.List) {
	sum := sha256.Sum256(src)
	p := &parser{
		file:   &ast.File{Path: path, Source: src, Digest: hex.EncodeToString(sum[:])},
		path:   path,
		text:   diag.NewText(src),
		repair: map[diag.Point]repair{},
	}
	if p.precheck() {
		p.parse()
	}
	return p.file, p.list.Tidy()
}

// parser reads one file.
type parser struct {
	file      *ast.File
	path      string
	list      diag.List
	text      *diag.Text // the file as read; mended cells are filled with letters
	repair    map[diag.Point]repair
	broken    bool // the structure is in doubt: there will be no Root
	openQuote int  // where the last quote stands that nothing closes; 0 for none
	looks     int  // suspicious values that may still be looked at
	scalar    []diag.Span
}

// repair is a cell that YAML could not read, as its author meant it. The file
// is read again with letters in its place.
type repair struct {
	span    diag.Span
	text    string
	offsets ast.Offsets
}

func (p *parser) parse() {
	docs, ok := p.load()
	if !ok {
		return
	}
	if len(docs) > 1 {
		p.manyDocuments(docs)
	}
	root := p.document(docs)
	if root != nil && !p.broken {
		p.file.Root = root
	}
	p.ignores()
}

// load reads the YAML, again and again while cells can be mended. It reports
// false where reading stopped for good.
func (p *parser) load() ([]*yaml.Node, bool) {
	for range effort(len(p.text.Bytes()), 50) {
		p.looks = effort(len(p.text.Bytes()), 200)
		docs, err := decode(p.text.Bytes())
		var failure *yaml.LoadError
		switch {
		case errors.As(err, &failure):
			if !p.syntax(failure) {
				return nil, false
			}
		case err != nil:
			p.report(diag.Point{Line: 1, Col: 1}, diag.Point{Line: 1, Col: 1}, "the file cannot be read as YAML")
			return nil, false
		case !p.traps(docs):
			return docs, true
		}
	}
	return nil, false
}

// decode returns the documents of a stream without giving any value a type.
func decode(src []byte) ([]*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithV4Defaults(),
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(MaxDepth))))
	if err != nil {
		return nil, err
	}
	var docs []*yaml.Node
	for {
		var doc yaml.Node
		switch err := loader.Load(&doc); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, err
		}
		docs = append(docs, &doc)
	}
}

// span returns the place between two points of this file.
func (p *parser) span(from, to diag.Point) diag.Span {
	return diag.Span{File: p.path, Start: from, End: to}
}

// report adds an error between two points and returns it for a hint.
func (p *parser) report(from, to diag.Point, format string, args ...any) *diag.Diagnostic {
	if to.Less(from) {
		to = from
	}
	return p.list.Errorf(Code, p.span(from, to), format, args...)
}
