package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Mapping is a field table: NAME.mapping.yaml.
type Mapping struct {
	Name          Text        `yaml:"mapping" doc:"Name of the mapping." validate:"required" names:"mapping"`
	Description   Text        `yaml:"description" doc:"What it is for."`
	Input         Text        `yaml:"input" doc:"Schema of what comes in." ref:"schema"`
	Output        Text        `yaml:"output" doc:"Schema of what goes out." ref:"schema"`
	Samples       []Text      `yaml:"samples" doc:"Files with example inputs, relative to this file." ref:"file"`
	CannotProvide []Text      `yaml:"cannot_provide" doc:"Target fields this source never has." ref:"target"`
	Let           Fields[Row] `yaml:"let" doc:"Helper values, used below as $name." defines:"let"`
	Fields        Fields[Row] `yaml:"fields" doc:"One row per target field." defines:"target"`
	Program       Text        `yaml:"program" doc:"File with a whole jq program instead of fields." ref:"file"`
}

// Row computes one target value: a jq cell, or a map with options.
type Row struct {
	Node  *ast.Node // the whole row as written
	Short bool      // written as `target: jq`
	RowOptions
}

// RowOptions are the keys of a long row. They are applied in the order
// from, lookup, default, parse/type/unit, trim/max_length, required.
type RowOptions struct {
	From       Cell        `yaml:"from" doc:"jq that computes the value." lang:"jq"`
	Const      Value       `yaml:"const" doc:"A fixed value."`
	Each       Cell        `yaml:"each" doc:"jq that gives the items of a list; one object or nothing is a list too." lang:"jq"`
	Fields     Fields[Row] `yaml:"fields" doc:"Rows of each item, or of a nested object." defines:"target"`
	When       Cell        `yaml:"when" doc:"expr; the row is left out where it is false." lang:"expr"`
	Default    Value       `yaml:"default" doc:"Used where the value is missing or null; never for false."`
	Required   bool        `yaml:"required" doc:"A missing value is an error."`
	Lookup     Text        `yaml:"lookup" doc:"Crosswalk that translates the value, as table or table.column." ref:"lookup"`
	Type       Text        `yaml:"type" doc:"string, integer, number, boolean, decimal(n), date, datetime, time, url, list or object." ref:"type"`
	Parse      Text        `yaml:"parse" doc:"How an incoming date, time or number is written, such as dd.MM.yyyy HH:mm or, for numbers, \"1.234,56\"." ref:"pattern"`
	Format     Text        `yaml:"format" doc:"How an outgoing date, time or number is written; a number becomes text." ref:"pattern"`
	Zone       Text        `yaml:"zone" doc:"IANA zone of a time that has none." ref:"zone"`
	Unit       Text        `yaml:"unit" doc:"Conversion such as lb -> kg." ref:"unit"`
	Trim       bool        `yaml:"trim" doc:"Remove white space at both ends."`
	MaxLength  int         `yaml:"max_length" doc:"Longest text allowed, in characters." validate:"omitempty,min=1"`
	TrueValues []Text      `yaml:"true_values" doc:"Texts that mean true; everything else means false."`
	Note       Text        `yaml:"note" doc:"For people."`
}

// DecodeNode implements Custom.
func (r *Row) DecodeNode(n *ast.Node, d *Decoder) {
	r.Node = n
	if n.Kind != ast.Map {
		r.Short = true
		r.From.DecodeNode(n, d)
		return
	}
	before := len(*d.Diags)
	if d.nested(n) {
		return
	}
	d.into(n, &r.RowOptions)
	has := func(key string) bool { return n.Get(key) != nil }
	for _, key := range []string{"const", "default"} {
		if v := n.Get(key); v != nil && v.Kind == ast.Scalar && unfilled.MatchString(v.Text) {
			f := d.Warnf(CodeUnknown, v.Span, "`%s` stays text: nothing is filled in here", v.Text)
			f.Hint = "write `from: $vars.name` for a value of the environment, `from: .name` for a field"
		}
	}
	switch {
	case has("const") && (has("from") || has("each") || has("fields")):
		d.Errorf(CodeUnknown, n.Pair("const").Key.Span, "a row with `const` takes no `from`, `each` or `fields`")
	case has("each") && has("from") && has("fields"):
		d.Errorf(CodeUnknown, n.Pair("from").Key.Span, "a row with `each` has either `from` or `fields`").
			Hint = "`each` says where the items come from"
	case !has("from") && !has("const") && !has("each") && !has("fields") && len(*d.Diags) == before:
		d.Errorf(CodeUnknown, n.Span, "a row needs `from`, `const`, `each` or `fields`").Hint = "add `from:` with the jq that computes the value"
	}
}

// unfilled are the placeholders of shells and templates.
var unfilled = regexp.MustCompile(`\$\{[^}]*\}|\{\{.*\}\}|^\$[A-Z][A-Z0-9_]*$`)

// nested reports rows that stand below a target without `fields`, as they do in the
// document that is made. It is one finding, whatever their number.
func (d *Decoder) nested(n *ast.Node) bool {
	known := Keys(reflect.TypeFor[RowOptions]())
	if len(n.Pairs) == 0 {
		return false
	}
	for _, p := range n.Pairs {
		cell := p.Value.Kind == ast.Scalar && strings.HasPrefix(p.Value.Text, ".") || p.Value.Kind == ast.Map && (p.Value.Get("from") != nil || p.Value.Get("const") != nil)
		if !cell || slices.Contains(known, p.Key.Text) || meant(p.Key.Text, known) != "" || otherwise(p.Key.Text, known) != "" || len(diag.Nearest(p.Key.Text, known)) > 0 {
			return false
		}
	}
	first := n.Pairs[0]
	f := d.Errorf(CodeUnknown, first.Key.Span, "unknown key `%s`: rows of a nested object stand below `fields`", first.Key.Text)
	f.Hint = "write `fields:` in between, one level above them, or one row per name with a dot: `name." + first.Key.Text + ": ...`"
	return true
}
