package jq

import (
	"slices"

	"github.com/itchyny/gojq"
)

// Types are the types that a value of jq may have.
type Types uint8

// The types of jq.
const (
	IsNull Types = 1 << iota
	IsBoolean
	IsNumber
	IsString
	IsArray
	IsObject
)

// Operand is what is known of a value that an operator or a function takes: it
// comes from one of the Paths, or the cell made it and it has one of the Types.
type Operand struct {
	Span
	Paths []Path
	Types Types
	Known bool // it can be nothing else
}

// Operation is a comparison, arithmetic, or a function that takes only values of
// some types. For a function Left is its input, Takes says what it may be, and
// Right is the zero Operand.
type Operation struct {
	Span  // of the operator with its operands, or of the name of the function
	Name  string
	Left  Operand
	Right Operand
	Takes Types
}

// Column is a column that is read of a row that lookup gave. Name is "" where the
// whole row is the value of the cell; Span is the call then.
type Column struct {
	Span
	Table, Name string
}

// Operations returns what the cell compares, computes and calls, as far as it
// can be followed, in reading order. What stands in definitions of the cell is
// left out, and so is everything where the cell asks for types itself.
func (p *Program) Operations() []Operation { return slices.Clone(p.traced().operations) }

// Columns returns the columns that the cell reads of tables, in reading order.
func (p *Program) Columns() []Column { return slices.Clone(p.traced().columns) }

// maxOperations bounds how many operations of one cell are noted.
const maxOperations = 256

// operation notes an operator whose operands were followed, and returns what it
// gives.
func (t *tracer) operation(q *gojq.Query, left, right *flow) *flow {
	switch q.Op {
	case gojq.OpAnd, gojq.OpOr:
		return &flow{types: IsBoolean}
	case gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpLt, gojq.OpGe, gojq.OpLe:
		t.operate(q, left, right)
		return &flow{types: IsBoolean}
	case gojq.OpAdd:
		t.operate(q, left, right)
		return union(left, right)
	case gojq.OpSub, gojq.OpDiv, gojq.OpMod:
		t.operate(q, left, right)
		if left.types == IsNumber && !left.vague || right.types == IsNumber && !right.vague {
			return &flow{types: IsNumber}
		}
	case gojq.OpMul:
		t.operate(q, left, right)
	}
	return opaque
}

func (t *tracer) operate(q *gojq.Query, left, right *flow) {
	at, ok := t.pl.known(q)
	if !ok {
		return
	}
	t.noteOperation(Operation{Span: at, Name: q.Op.String(), Left: taken(t.pl.span(q.Left), left), Right: taken(t.pl.span(q.Right), right)})
}

func (t *tracer) noteOperation(o Operation) {
	if t.calls == 0 && !t.asks && len(t.operations) < maxOperations {
		t.operations = append(t.operations, o)
	}
}

func taken(at Span, v *flow) Operand {
	return Operand{Span: at, Paths: v.paths, Types: v.types, Known: !v.vague && (v.types != 0 || len(v.paths) > 0)}
}

// applied notes a function that takes only values of some types.
func (t *tracer) applied(f *gojq.Func, in *flow) {
	takes, ok := inputs[f.Name]
	if f.Name == "type" {
		t.operations, t.asks = nil, true
	}
	if !ok || len(in.paths) == 0 {
		return
	}
	at, ok := t.pl.known(keyOf{f})
	if !ok {
		return
	}
	t.noteOperation(Operation{Span: at, Name: f.Name, Left: taken(Span{at.From, at.From}, in), Takes: takes})
}

// inputs are functions that fail on other values.
var inputs = inTypes(map[Types][]string{
	IsString: {"ascii_downcase", "ascii_upcase", "startswith", "endswith", "test", "match", "capture", "scan", "split", "splits",
		"sub", "gsub", "trim", "ltrim", "rtrim", "explode", "fromjson", "fromdate", "fromdateiso8601"},
	IsNumber: {"floor", "ceil", "round", "sqrt", "fabs", "trunc", "todate", "todateiso8601"},
	IsArray:  {"sort", "sort_by", "group_by", "unique", "unique_by", "min", "max", "min_by", "max_by", "join", "flatten", "transpose", "implode", "from_entries"},
})

// results are the types of what functions give, where these are always the same.
var results = inTypes(map[Types][]string{
	IsString: {"tostring", "tojson", "type", "ascii_downcase", "ascii_upcase", "sub", "gsub", "trim", "ltrim", "rtrim", "join", "implode",
		"strftime", "todate", "todateiso8601"},
	IsNumber: {"tonumber", "length", "utf8bytelength", "floor", "ceil", "round", "sqrt", "fabs", "trunc", "mktime", "fromdate", "fromdateiso8601",
		"exact_sum", "exact_sub", "exact_mul", "exact_div"},
	IsBoolean: {"test", "startswith", "endswith", "any", "all", "contains", "inside", "has", "in", "not", "blank", "isempty", "IN", "isvalid", "isnan"},
	IsArray: {"keys", "keys_unsorted", "split", "explode", "map", "path", "paths", "to_entries", "indices", "sort", "unique", "flatten",
		"transpose", "combinations", "group_by"},
	IsString | IsNull: {"pad_left", "digits"},
	IsNumber | IsNull: {"convert", "exact_round", "index", "rindex"},
})

func inTypes(by map[Types][]string) map[string]Types {
	out := map[string]Types{}
	for types, names := range by {
		for _, n := range names {
			out[n] = types
		}
	}
	return out
}

// oneType let pass what is of one type only.
var oneType = map[string]bool{"arrays": true, "objects": true, "strings": true, "numbers": true, "scalars": true, "iterables": true, "booleans": true, "nulls": true}

// made is what a function gives.
func made(name string) *flow {
	if types := results[name]; types != 0 {
		return &flow{types: types}
	}
	return opaque
}

// lookup follows the function of that name and notes the column.
func (t *tracer) lookup(f *gojq.Func, in *flow, e *env, at int) *flow {
	t.generic(f, in, e, at)
	table, ok := literalText(f.Args[0])
	if !ok {
		return opaque
	}
	if len(f.Args) > 1 {
		if name, ok := literalText(f.Args[1]); ok {
			t.column(table, name, t.pl.span(f.Args[1]))
		}
		return opaque
	}
	call := t.pl.span(f)
	return &flow{vague: true, row: &Column{Span: call, Table: table}}
}

func (t *tracer) column(table, name string, at Span) {
	if t.calls == 0 && len(t.columns) < maxOperations {
		t.columns = append(t.columns, Column{at, table, name})
	}
}
