package spec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Text is a string that knows where it was written.
type Text struct {
	Value string
	Node  *ast.Node
}

// DecodeNode implements Custom.
func (t *Text) DecodeNode(n *ast.Node, d *Decoder) {
	t.Node = n
	t.Value, _ = d.Text(n)
	d.Typeset(n)
}

// typeset is a value in quotes of a word processor, whatever the language.
var typeset = regexp.MustCompile(`^[“”„«»‘’‚]([^“”„«»‘’‚\n]*)[“”«»‘’]$`)

// Typeset reports a value in quotes that word processors and chats put in the
// place of straight ones: YAML takes them for a part of the text.
func (d *Decoder) Typeset(n *ast.Node) {
	if n == nil || n.Kind != ast.Scalar || n.Style != ast.Plain {
		return
	}
	m := typeset.FindStringSubmatch(n.Text)
	if m == nil {
		return
	}
	right := strconv.Quote(m[1])
	f := d.Errorf(CodeEaten, n.Span, "these quotes are those of a word processor, and would be a part of the text")
	f.Hint, f.Source = "write "+right, n.Text
	f.Fixes = []diag.Fix{{Title: "use straight quotes", Edits: []diag.Edit{{Span: n.Span, Text: right}}}}
}

// Span returns where the text stands.
func (t Text) Span() diag.Span {
	if t.Node == nil {
		return diag.Span{}
	}
	return t.Node.Span
}

// Set reports whether anything was written.
func (t Text) Set() bool { return t.Node != nil && t.Value != "" }

// Cell is a computed cell: jq or expr text that stays raw. Which language it
// is in follows from the key it stands under.
type Cell struct{ Node *ast.Node }

// DecodeNode implements Custom.
func (c *Cell) DecodeNode(n *ast.Node, d *Decoder) {
	if d.cells != nil {
		d.cells[n] = true
	}
	switch {
	case n.Kind != ast.Scalar:
		f := d.Errorf(CodeEaten, n.Span, "YAML read this as %s, but an expression was expected", n.Kind)
		f.Hint = "put the whole expression in quotes, or on its own line below `|`"
		return
	case n.Empty:
		d.Errorf(CodeEaten, n.Span, "the expression is empty").Hint = "YAML may have cut it: quote it if it starts with a sign such as ! & * # or |"
		return
	case strings.Contains(n.Text, "${secret."):
		d.Errorf(CodeSecret, n.Span, "a secret cannot be used inside an expression").Hint = "secrets belong to connections"
		return
	case strings.Contains(n.Text, "${"):
		at := anyPlaceholder.FindStringIndex(n.Text)
		d.Errorf(CodeUnknown, n.Range(at[0], at[1]), "`${...}` is configuration and is not resolved inside expressions").Hint = configured(n.Text[at[0]:at[1]])
		return
	}
	c.Node = n
}

// configured says how an expression reads what stands as ${...} elsewhere.
func configured(text string) string {
	if inside := strings.Trim(text, "${} "); strings.HasPrefix(inside, ".") {
		return "a value inside a text is written `\\(" + inside + ")`"
	}
	word, name := "vars", "name"
	if m := placeholder.FindStringSubmatch(text); m != nil && m[1] == "param" {
		word, name = "params", m[2]
	}
	return "use $" + word + "." + name + " in jq, " + word + "." + name + " in expr"
}

// Set reports whether a cell was written.
func (c Cell) Set() bool { return c.Node != nil }

// Source returns the text of the cell, "" where none was written.
func (c Cell) Source() string {
	if c.Node == nil {
		return ""
	}
	return c.Node.Text
}

// Cells is one cell or a list of them.
type Cells []Cell

// DecodeNode implements Custom.
func (c *Cells) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind != ast.List {
		n = &ast.Node{Kind: ast.List, Items: []*ast.Node{n}}
	}
	for _, item := range n.Items {
		var cell Cell
		cell.DecodeNode(item, d)
		if cell.Set() {
			*c = append(*c, cell)
		}
	}
}

// Duration is a length of time such as 500ms, 5s, 10m, 4h or 30d.
type Duration struct {
	D    time.Duration
	Node *ast.Node
}

// DecodeNode implements Custom.
func (v *Duration) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	if v.D, ok = ParseDuration(text); !ok {
		f := d.shape(n, "a length of time such as 500ms, 5s, 10m, 4h or 30d")
		if numberLiteral.MatchString(text) {
			f.Hint = "say what is counted: " + text + "ms are milliseconds, " + text + "s seconds, " + text + "m minutes, " + text + "h hours, " + text + "d days"
		} else if short := duration(text); short != "" {
			f.Hint = "write `" + short + "`"
		} else if first, rest, more := strings.Cut(text, " "); more {
			if _, whole := ParseDuration(first); whole {
				f.Hint = "write `" + first + "`, without `" + strings.TrimSpace(rest) + "`"
			}
		}
		return // as if nothing were written
	}
	v.Node = n
}

// Or returns the length of time, or def where none was written.
func (v Duration) Or(def time.Duration) time.Duration {
	if v.Node == nil {
		return def
	}
	return v.D
}

var durationParts = regexp.MustCompile(`^(?:(\d+)w)?(?:(\d+)d)?((?:\d+(?:\.\d+)?(?:h|ms|m|s|us))*)$`)

// longest is the longest length of time, a hundred years: the parts of one text can
// be added without overflow.
const longest = 36500 * 24 * time.Hour

// ParseDuration reads a length of time; days have 24 hours.
func ParseDuration(text string) (time.Duration, bool) {
	m := durationParts.FindStringSubmatch(text)
	if m == nil || text == "" {
		return 0, text == "0"
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour} {
		if m[i+1] != "" {
			n, err := strconv.ParseInt(m[i+1], 10, 32)
			if err != nil || n > int64(longest/unit) {
				return 0, false
			}
			total += time.Duration(n) * unit
		}
	}
	if m[3] != "" {
		rest, err := time.ParseDuration(m[3])
		if err != nil {
			return 0, false
		}
		total += rest
	}
	if total < 0 || total > longest {
		return 0, false
	}
	return total, true
}

// Size is a number of bytes such as 64KB, 10MB or 1GiB.
type Size struct {
	N    int64
	Node *ast.Node
}

// DecodeNode implements Custom.
func (s *Size) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	if s.N, ok = ParseSize(text); !ok {
		f := d.shape(n, "a size such as 64KB, 10MB or 1GiB")
		for _, short := range []string{sizeWord.ReplaceAllString(text, "${1}iB"), text + "B", strings.ToUpper(text), strings.ToUpper(text) + "B"} {
			if _, ok := ParseSize(short); ok && f.Hint == "" {
				f.Hint = "write `" + short + "`"
			}
		}
		return // as if nothing were written
	}
	s.Node = n
}

// sizeWord is a size as most tools write it, in powers of 1024: 512K, 10m.
var sizeWord = regexp.MustCompile(`^([0-9]+ ?[KMG])$`)

// Or returns the size, or def where none was written.
func (s Size) Or(def int64) int64 {
	if s.Node == nil {
		return def
	}
	return s.N
}

// ParseSize reads a number of bytes; KB counts 1000, KiB 1024.
func ParseSize(text string) (int64, bool) {
	i := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	unit := ""
	if i >= 0 {
		text, unit = text[:i], text[i:]
	}
	n, err := strconv.ParseInt(text, 10, 40)
	factor, known := map[string]int64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[strings.TrimSpace(unit)]
	if err != nil || !known || n > (1<<53)/factor {
		return 0, false
	}
	return n * factor, true
}

// Secret is a text that may hold ${secret.name} and is resolved when it is
// used. It never prints.
type Secret struct {
	Template string
	Node     *ast.Node
}

// DecodeNode implements Custom.
func (s *Secret) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind != ast.Scalar {
		d.scalarShape(n, "a single value")
		return
	}
	s.Node = n
	whole := d.vars(n)
	s.Template = d.replaceVars(n.Text)
	if !whole && strings.HasPrefix(n.Text, "${") {
		return // said: it is a placeholder, and not a secret in a file
	}
	if s.Template != "" && !strings.Contains(s.Template, "${secret.") {
		d.Errorf(CodeSecret, n.Span, "a secret is written in this file").
			Hint = "write ${secret.some_name} and keep the value outside"
	}
}

// Set reports whether anything was written.
func (s Secret) Set() bool { return s.Template != "" }

// String hides the value.
func (s Secret) String() string { return "[secret]" }

// MarshalJSON hides the value.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// Names returns the names of the secrets in the template.
func (s Secret) Names() []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(s.Template, -1) {
		if m[1] == "secret" {
			names = append(names, m[2])
		}
	}
	return names
}

// Resolve returns the value with every ${secret.name} looked up.
func (s Secret) Resolve(lookup Finder) (Sealed, error) {
	var failed error
	out := placeholder.ReplaceAllStringFunc(s.Template, func(m string) string {
		value, err := lookup(m[len("${secret.") : len(m)-1])
		if err != nil && failed == nil {
			failed = err
		}
		return value.Reveal()
	})
	return Seal(out), failed
}

var placeholder = regexp.MustCompile(`\$\{(var|secret|param)\.([A-Za-z0-9_.-]+)\}`)
var anyPlaceholder = regexp.MustCompile(`\$\{[^}]*\}?`)

// expand resolves ${var.x} in a text and reports placeholders that may not
// stand there.
func (d *Decoder) expand(n *ast.Node) (string, bool) {
	if !strings.Contains(n.Text, "${") {
		return n.Text, true
	}
	ok := d.vars(n)
	for _, at := range placeholder.FindAllStringSubmatchIndex(n.Text, -1) {
		if n.Text[at[2]:at[3]] == "secret" {
			d.Errorf(CodeSecret, n.Range(at[0], at[1]), "a secret may not stand here").
				Hint = "secrets belong into auth, headers and verification of connections"
			ok = false
		}
	}
	return d.replaceVars(n.Text), ok
}

var plainName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// vars reports placeholders of a text that cannot be resolved.
func (d *Decoder) vars(n *ast.Node) bool {
	ok := true
	for _, at := range anyPlaceholder.FindAllStringIndex(n.Text, -1) {
		text, span := n.Text[at[0]:at[1]], n.Range(at[0], at[1])
		m := placeholder.FindStringSubmatch(text)
		switch {
		case m == nil:
			f := d.Errorf(CodeUnknown, span, "`%s` is not a placeholder", text)
			f.Hint = d.meantPlaceholder(text)
			if name := strings.Trim(text, "${} "); plainName.MatchString(name) && strings.HasPrefix(text, "${") && strings.Contains(n.Text, "/") {
				f.Hint = "write {" + name + "} for what `with:` gives, ${var." + name + "} for a variable of the environment"
			}
		case m[1] == "secret":
			continue
		case m[1] == "param":
			d.Errorf(CodeUnknown, span, "`%s` is not resolved here: parameters belong to the files of a template", text).
				Hint = "write ${var.name} for a variable of the environment"
		case d.Var == nil:
			d.Errorf(CodeUnknown, span, "`%s` is not resolved here", text).Hint = "${var.x} works in connection and environment files and in crossdock.yaml"
		default:
			if _, known := d.Var(m[2]); known {
				continue
			}
			f := d.Errorf(CodeUnknown, span, "the environment has no variable `%s`", m[2])
			f.Missing = "environment"
			f.Short = diag.DidYouMean(m[2], d.VarNames)
			f.Hint = "add it below `vars:` of the environment"
			if len(d.VarNames) > 0 {
				f.Hint = "known variables: " + strings.Join(d.VarNames, ", ")
			}
			if f.Short == "" && secretName.MatchString(m[2]) {
				f.Hint = "a secret is written ${secret." + m[2] + "}, and kept outside"
			}
		}
		ok = false
	}
	return ok
}

// meantPlaceholder says how a placeholder is written that is none: of another
// tool, or with another word in front.
func (d *Decoder) meantPlaceholder(text string) string {
	name := strings.Trim(text, "${} ")
	word, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		word, rest = "", name
	}
	known := func(name string) bool { return slices.Contains(d.VarNames, name) }
	switch {
	case word == "params" || word == "parameter" || word == "parameters":
		return "write ${param." + rest + "}"
	case word == "secrets":
		return "write ${secret." + rest + "}"
	case word == "vars" || word == "variables":
		return "write ${var." + rest + "}"
	case known(rest):
		return "write ${var." + rest + "}"
	case known(strings.ToLower(rest)):
		return "write ${var." + strings.ToLower(rest) + "}"
	case (word == "" || word == "env") && secretName.MatchString(rest):
		return "write ${secret." + strings.ToLower(rest) + "}; a value of the environment is ${var.name}, from `vars:` of its file"
	case word == "env":
		return "write ${var." + strings.ToLower(rest) + "}, and give it a value below `vars:` of the environment"
	}
	return "write ${var.name} or ${secret.name}"
}

// secretName are names of what is hardly ever a mere setting.
var secretName = regexp.MustCompile(`(?i)(^|_)(key|secret|token|password|passwd|pwd|credential)s?$`)

func (d *Decoder) replaceVars(text string) string {
	if d.Var == nil {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		if !strings.HasPrefix(m, "${var.") {
			return m
		}
		value, _ := d.Var(m[len("${var.") : len(m)-1])
		return value
	})
}

var numberLiteral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// Plain reads a node as a JSON value, as `const`, `default`, `given` and
// `expect` do: an unquoted JSON number, true, false or null is what it says,
// everything else is text, so 0123 and 2026-05-16 stay as written.
func Plain(n *ast.Node) any {
	switch n.Kind {
	case ast.Map:
		m := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			m[p.Key.Text] = Plain(p.Value)
		}
		return m
	case ast.List:
		l := make([]any, 0, len(n.Items))
		for _, item := range n.Items {
			l = append(l, Plain(item))
		}
		return l
	}
	if n.Style != ast.Plain {
		return n.Text
	}
	switch n.Text {
	case "", "null", "~":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	if numberLiteral.MatchString(n.Text) {
		return json.Number(n.Text)
	}
	return n.Text
}

// Value is a constant JSON value written in a definition.
type Value struct {
	V    any
	Node *ast.Node
}

// DecodeNode implements Custom.
func (v *Value) DecodeNode(n *ast.Node, d *Decoder) {
	v.Node, v.V = n, Plain(n)
	d.Typeset(n)
}

// Set reports whether a value was written.
func (v Value) Set() bool { return v.Node != nil }

// Fields is a map that keeps the order in which its entries were written.
type Fields[T any] []Field[T]

// Field is one entry of Fields.
type Field[T any] struct {
	Key   *ast.Node
	Value T
}

// DecodeNode implements Custom.
func (f *Fields[T]) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind != ast.Map {
		if n.Empty {
			return
		}
		if n = d.AsMap(n); n == nil {
			return
		}
	}
	for _, p := range n.Pairs {
		entry := Field[T]{Key: p.Key}
		d.into(p.Value, &entry.Value)
		*f = append(*f, entry)
	}
}

// Get returns the entry named name.
func (f Fields[T]) Get(name string) (T, bool) {
	for _, e := range f {
		if e.Key.Text == name {
			return e.Value, true
		}
	}
	var none T
	return none, false
}

// Names returns the keys in order.
func (f Fields[T]) Names() []string {
	names := make([]string, 0, len(f))
	for _, e := range f {
		names = append(names, e.Key.Text)
	}
	return names
}
