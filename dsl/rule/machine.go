package rule

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"crossdock/dsl/turn"
	"crossdock/dsl/value"
)

// route is a way down from a value, with the path it belongs to.
type route struct {
	steps []Segment
	text  string
}

// errOperand says that an operand does not fit; the place of the operator tells
// which.
var errOperand = errors.New("operand")

// machine compiles a lowered tree.
func machine(tree *parser.Tree, scope Scope) (*vm.Program, error) {
	config := newConfig()
	config.WithEnv(map[string]any{})
	config.Strict = false
	config.MaxNodes = 0
	config.Functions = maps.Clone(calls())
	config.Functions["in_lookup"] = &builtin.Function{Name: "in_lookup", Func: inLookup(scope.Lookup)}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, err
	}
	return compiler.Compile(tree, config)
}

// calls are all functions of the machine, made once: there are many rules. The
// in_lookup among them belongs to no scope.
var calls = sync.OnceValue(func() conf.FunctionsTable {
	all := make(conf.FunctionsTable, len(operators)+len(Functions))
	for name, call := range operators {
		all[name] = &builtin.Function{Name: name, Func: call}
	}
	for i := range Functions {
		all[Functions[i].Name] = &builtin.Function{Name: Functions[i].Name, Func: Functions[i].call}
	}
	return all
})

// known are the functions that the library has by itself. It only reads
// the table, and makes a new one for each configuration.
var known = sync.OnceValue(func() conf.FunctionsTable { return conf.CreateNew().Builtins })

// newConfig is conf.CreateNew without making the table of builtins again.
func newConfig() *conf.Config {
	return &conf.Config{Optimize: true, ShortCircuit: true, MaxNodes: conf.DefaultMaxNodes, ConstFns: map[string]reflect.Value{},
		Functions: conf.FunctionsTable{}, Builtins: known(), Disabled: map[string]bool{}}
}

// operators are what lowering calls. Their names cannot be written in a rule.
var operators = map[string]func(args ...any) (any, error){
	"$num":     func(args ...any) (any, error) { return native(args[0]), nil },
	"$nums":    numsCall,
	"$list":    listCall,
	"$upper":   caseCall(strings.ToUpper),
	"$lower":   caseCall(strings.ToLower),
	"$split":   splitCall,
	"$len":     lenCall,
	"$get":     getCall,
	"$item":    itemCall,
	"$same":    sameCall,
	"$order":   orderCall,
	"$+":       plusCall,
	"$-":       minusCall,
	"$*":       timesCall,
	"$in":      func(args ...any) (any, error) { return member(args[0], args[1]) },
	"$between": betweenCall,
	"$matches": matchesCall,
	"$tick":    tickCall,
	"$string":  stringCall,
	"$int":     intCall,
	"$float":   floatCall,
}

func numsCall(args ...any) (any, error) {
	items, ok := args[0].([]any)
	if !ok {
		return args[0], nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = native(item)
	}
	return out, nil
}

// listCall lets only lists through: expr would walk over the letters of a text.
func listCall(args ...any) (any, error) {
	switch args[0].(type) {
	case []any, []int:
		return args[0], nil
	}
	return nil, errOperand
}

// caseCall is upper and lower.
func caseCall(change func(string) string) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		s, err := bounded(args[0])
		if err != nil {
			return nil, err
		}
		return change(s), nil
	}
}

// bounded returns a text short enough to build another one from it.
func bounded(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errOperand
	}
	if len(s) > maxText {
		return "", &Error{Code: "limit", Message: "a text of more than 64 KiB cannot be taken apart or changed in a rule"}
	}
	return s, nil
}

func splitCall(args ...any) (any, error) {
	s, err := bounded(args[0])
	if err != nil {
		return nil, err
	}
	sep, ok := args[1].(string)
	if !ok {
		return nil, errOperand
	}
	most := -1
	if len(args) > 2 {
		if most, ok = args[2].(int); !ok {
			return nil, errOperand
		}
	}
	parts := strings.SplitN(s, sep, most)
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = part
	}
	return out, nil
}

func lenCall(args ...any) (any, error) {
	switch t := args[0].(type) {
	case string:
		return utf8.RuneCountInString(t), nil
	case []any:
		return len(t), nil
	case []int:
		return len(t), nil
	case map[string]any:
		return len(t), nil
	}
	return nil, errOperand
}

func getCall(args ...any) (any, error) {
	r := args[1].(*route)
	v, failed := follow(args[0], r.steps)
	if failed < 0 {
		return v, nil
	}
	up, _ := follow(args[0], r.steps[:failed])
	step := r.steps[failed]
	if step.Indexed {
		return nil, &Error{Code: "type", Path: r.text, Message: r.text + " asks for an item of " + describe(up), Hint: "only a list has items"}
	}
	e := &Error{Code: "type", Path: r.text, Message: r.text + " asks for the field `" + step.Name + "` of " + describe(up), Hint: "only an object has fields"}
	if _, list := up.([]any); list {
		e.Hint = "walk over the list with any, all, count or find"
	}
	return nil, e
}

// itemCall is x[y] with a computed y.
func itemCall(args ...any) (any, error) {
	switch t := args[0].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		name, ok := value.Text(args[1])
		if !ok {
			return nil, errOperand
		}
		return t[name], nil
	case []any:
		i, ok := args[1].(int)
		if !ok {
			return nil, errOperand
		}
		v, _ := follow(t, []Segment{{Indexed: true, Index: i}})
		return v, nil
	}
	return nil, errOperand
}

func orderCall(args ...any) (any, error) {
	c, ok := order(args[1], args[2])
	if !ok {
		return nil, errOperand
	}
	switch args[0] {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

func betweenCall(args ...any) (any, error) {
	if value.Kind(args[0]) != "number" {
		return false, nil
	}
	from, ok1 := args[1].(int)
	to, ok2 := args[2].(int)
	if !ok1 || !ok2 {
		return nil, errOperand
	}
	d, err := value.DecimalOf(args[0])
	if err != nil || !d.IsInteger() {
		return false, nil
	}
	return d.Cmp(value.DecimalFromInt(int64(from))) >= 0 && d.Cmp(value.DecimalFromInt(int64(to))) <= 0, nil
}

func matchesCall(args ...any) (any, error) {
	switch s := args[0].(type) {
	case nil:
		return false, nil
	case string:
		if len(s) > maxMatched {
			return nil, &Error{Code: "limit", Message: "matches looks at texts of at most 64 KiB"}
		}
		return args[1].(*expression).MatchString(s), nil
	}
	return nil, errOperand
}

// tickCall counts the items that predicates look at and watches the time.
func tickCall(args ...any) (any, error) {
	b := args[0].(*budget)
	b.steps++
	if b.steps&15 != 1 {
		return nil, nil
	}
	now := time.Now()
	if b.deadline.IsZero() {
		b.deadline = now.Add(maxTime)
	}
	if b.steps > longSteps && !b.turn.Held() && !b.patient && maxTime-b.deadline.Sub(now) > turn.Short {
		b.await(now)
	}
	if b.steps > maxSteps || now.After(b.deadline) {
		b.over = true
		return nil, &Error{Code: "limit", Message: "the rule takes too long", Hint: "walk over fewer items"}
	}
	return nil, nil
}

func stringCall(args ...any) (any, error) {
	s, ok := value.Text(args[0])
	if !ok {
		return nil, errOperand
	}
	return s, nil
}

func numberOf(v any) (value.Decimal, error) {
	if s, ok := v.(string); ok {
		v = json.Number(strings.TrimSpace(s))
	}
	d, err := value.DecimalOf(v)
	if err != nil {
		return d, errOperand
	}
	return d, nil
}

// intCall cuts the fraction off, as expr does.
func intCall(args ...any) (any, error) {
	d, err := numberOf(args[0])
	if err != nil {
		return nil, err
	}
	f := d.Float64()
	if n, ok := d.Int64(); ok {
		return int(n), nil
	}
	if math.Abs(f) >= math.MaxInt64 {
		return nil, errOperand
	}
	return int(f), nil
}

func floatCall(args ...any) (any, error) {
	d, err := numberOf(args[0])
	if err != nil {
		return nil, err
	}
	return d.Float64(), nil
}
