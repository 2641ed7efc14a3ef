package parser

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// document builds the tree of the first document.
func (p *parser) document(docs []*yaml.Node) *ast.Node {
	start := diag.Point{Line: 1, Col: 1}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		p.report(start, start, "the file holds no definition").
			Hint = "start with the kind and the name, for example `mapping: erp-order-to-shipment`"
		return nil
	}
	for n := 1; n < docs[0].Line || n == 1; n++ {
		if strings.HasPrefix(p.text.Line(n), "%") {
			p.directive(p.text.Offset(diag.Point{Line: n, Col: 1}))
		}
	}
	root := docs[0].Content[0]
	node, _ := p.build(root, 0)
	if root.Kind == yaml.MappingNode {
		return node
	}
	if p.broken {
		return nil
	}
	if node.Empty {
		p.report(start, start, "the file holds no definition").
			Hint = "start with the kind and the name, for example `mapping: erp-order-to-shipment`"
		return nil
	}
	key, _, found := strings.Cut(root.Value, ":")
	if found && root.Kind == yaml.ScalarNode && !strings.ContainsAny(key, " \n") {
		p.noColon(root.Line)
		return nil
	}
	d := p.report(node.Span.Start, node.Span.End, "a definition is a map of `key: value` lines, but this file is %s", node.Kind)
	d.Hint = "start with the kind and the name, for example `mapping: erp-order-to-shipment`"
	return nil
}

// build turns one YAML node into ours. indent is the column of the block that
// holds it, 0 at the top. It returns the byte behind the value too.
func (p *parser) build(n *yaml.Node, indent int) (*ast.Node, int) {
	off := p.text.Offset(diag.Point{Line: n.Line, Col: n.Column})
	at := p.text.Point(off) // an empty value at the end stands behind the file
	node := &ast.Node{
		Span:    p.span(at, at),
		Flow:    n.Style&yaml.FlowStyle != 0,
		Comment: comments(n.HeadComment, n.LineComment),
	}
	p.reportProperties(n)
	end := off
	switch n.Kind {
	case yaml.MappingNode:
		node.Kind = ast.Map
		end = p.pairs(node, n, off, indent)
	case yaml.SequenceNode:
		node.Kind = ast.List
		end = p.items(node, n, off, indent)
	default:
		end = p.scalarNode(node, n, off, indent)
		p.scalar = append(p.scalar, p.span(at, p.text.Point(end)))
	}
	node.Span.End = p.text.Point(end)
	return node, end
}

func (p *parser) scalarNode(node *ast.Node, n *yaml.Node, off, indent int) int {
	node.Text = n.Value
	node.Style = style(n.Style)
	if fixed, ok := p.repair[node.Span.Start]; ok {
		node.Text, node.Offsets = fixed.text, fixed.offsets
		return p.text.Offset(fixed.span.End)
	}
	if n.Value == "" && node.Style == ast.Plain {
		node.Empty = true
		return off
	}
	marks, end, ok := trace(p.text, p.properties(n, off), n.Value, node.Style, indent)
	if !ok {
		return off
	}
	node.Offsets = marks
	return end
}

// properties returns the byte behind the tag and the anchor in front of a value.
func (p *parser) properties(n *yaml.Node, off int) int {
	src := p.text.Bytes()
	if n.Anchor == "" && n.Tag != "!" && n.Style&yaml.TaggedStyle == 0 {
		return off
	}
	for off < len(src) {
		switch c := src[off]; {
		case c == '!' || c == '&':
			stop := " \t\r\n,[]{}"
			if c == '!' && off+1 < len(src) && src[off+1] == '<' {
				stop = " \t\r\n"
			}
			for off < len(src) && !strings.ContainsRune(stop, rune(src[off])) {
				off++
			}
		case strings.IndexByte(" \t\r\n", c) >= 0:
			off++
		case c == '#':
			for off < len(src) && src[off] != '\n' {
				off++
			}
		default:
			return off
		}
	}
	return off
}

func (p *parser) items(node *ast.Node, n *yaml.Node, off, indent int) int {
	end := off
	if !node.Flow {
		indent = n.Column
	} else {
		end++
	}
	for _, item := range n.Content {
		child, childEnd := p.build(item, indent)
		if child.Comment == "" && len(item.Content) > 0 {
			child.Comment = comments(item.Content[0].HeadComment)
		}
		node.Items = append(node.Items, child)
		end = max(end, childEnd)
	}
	if node.Flow {
		end = p.closing(end)
	}
	return end
}

func (p *parser) pairs(node *ast.Node, n *yaml.Node, off, indent int) int {
	end := off
	braces := node.Flow && off < len(p.text.Bytes()) && p.text.Bytes()[off] == '{'
	if !node.Flow {
		indent = n.Column
	} else if braces {
		end++
	}
	first := map[string]*ast.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, keyEnd := p.build(n.Content[i], indent)
		value, valueEnd := p.build(n.Content[i+1], indent)
		key.Comment = comments(n.Content[i].HeadComment, n.Content[i].LineComment, n.Content[i+1].LineComment)
		value.Comment = ""
		end = max(end, keyEnd, valueEnd)
		if !p.checkKey(n.Content[i], key) {
			continue
		}
		if node.Flow && value.Empty {
			p.colonWithoutSpace(key)
		}
		if before, ok := first[key.Text]; ok {
			p.duplicate(before, key)
			continue
		}
		first[key.Text] = key
		node.Pairs = append(node.Pairs, ast.Pair{Key: key, Value: value})
	}
	if braces {
		end = p.closing(end)
	}
	return end
}

// closing returns the byte behind the bracket that closes a flow collection
// whose last child ends at byte off.
func (p *parser) closing(off int) int {
	src := p.text.Bytes()
	for i := off; i < len(src); i++ {
		switch c := src[i]; {
		case c == ']' || c == '}':
			return i + 1
		case c == '#':
			for i+1 < len(src) && src[i+1] != '\n' {
				i++
			}
		case !strings.ContainsRune(" \t\r\n,:?", rune(c)):
			return off
		}
	}
	return off
}

// checkKey reports keys that are no plain words.
func (p *parser) checkKey(n *yaml.Node, key *ast.Node) bool {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.broken = true
		d := p.report(key.Span.Start, key.Span.End, "YAML reads %s as a key here", key.Kind)
		d.Hint = "if this is an expression or a placeholder, put the whole cell in quotes"
		return false
	case key.Empty:
		p.broken = true
		p.report(key.Span.Start, key.Span.Start, "there is no key in front of the colon").
			Hint = "write `key: value`, or put the whole cell in quotes if the colon belongs to it"
		return false
	case n.Tag == "!!merge" && key.Style == ast.Plain:
		p.report(key.Span.Start, key.Span.End, "merge keys (`<<`) are not part of the language").
			Hint = "write the lines out, or use a policy with `extends`"
		return false
	}
	p.explicitKey(key)
	return true
}

// colonWithoutSpace reports "{from:.a}", which YAML reads as one long key.
func (p *parser) colonWithoutSpace(key *ast.Node) {
	name, rest, found := strings.Cut(key.Text, ":")
	if !found || key.Style != ast.Plain || rest == "" || name == "" || strings.HasPrefix(rest, "//") || strings.ContainsAny(name, " \"'([") {
		return
	}
	p.broken = true
	p.list = slices.DeleteFunc(p.list, func(d diag.Diagnostic) bool { return d.Span == key.Span }) // it follows from this
	d := p.report(key.Span.Start, key.Span.End, "YAML reads `%s` as one word, because no space follows the colon", clip(key.Text))
	d.Hint = "write `" + clip(name+": "+rest) + "`"
	at := key.At(len(name) + 1)
	d.Fixes = []diag.Fix{{Title: "put a space behind the colon", Edits: []diag.Edit{{Span: p.span(at, at), Text: " "}}}}
}

// explicitKey reports "? key", YAML's long way to write a key.
func (p *parser) explicitKey(key *ast.Node) {
	src := p.text.Bytes()
	off := p.text.Offset(key.Span.Start)
	at := off - 1
	for at >= 0 && (src[at] == ' ' || src[at] == '\t') {
		at--
	}
	if at < 0 || at == off-1 || src[at] != '?' {
		return
	}
	p.reportAt(at, "`? ` in front of a key is not part of the language").
		Hint = "write `" + clip(key.Text) + ": value`"
}

func (p *parser) duplicate(first, key *ast.Node) {
	d := p.report(key.Span.Start, key.Span.End, "`%s` is already set in line %d", key.Text, first.Span.Start.Line)
	d.Hint = "keep one of the two: in a map every key stands once"
	d.Related = []diag.Related{{Span: first.Span, Message: "first set here"}}
}

func style(s yaml.Style) ast.Style {
	switch {
	case s&yaml.DoubleQuotedStyle != 0:
		return ast.DoubleQuoted
	case s&yaml.SingleQuotedStyle != 0:
		return ast.SingleQuoted
	case s&yaml.LiteralStyle != 0:
		return ast.Literal
	case s&yaml.FoldedStyle != 0:
		return ast.Folded
	}
	return ast.Plain
}
