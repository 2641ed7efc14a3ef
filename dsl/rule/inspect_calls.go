package rule

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// expression checks the right side of matches.
func (in *inspector) expression(n ast.Node) {
	text, ok := n.(*ast.StringNode)
	if !ok {
		in.refuse(n, "matches needs a regular expression written as a text", "write it between quotes; it cannot come from the data")
		return
	}
	from, to := in.c.span(n)
	if _, err := regexp.Compile(text.Value); err != nil {
		in.c.report(Problem{From: from, To: to, Kind: KindSyntax, Message: "not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")})
		return
	}
	parsed, err := syntax.Parse(text.Value, syntax.Perl)
	if err != nil {
		return
	}
	if prog, err := syntax.Compile(parsed.Simplify()); err != nil || len(prog.Inst) > maxExpression {
		in.c.report(Problem{From: from, To: to, Kind: KindLimit, Message: "the regular expression is too large", Hint: "repeat less often than {100}"})
	}
}

// call visits a function that expr does not know by itself.
func (in *inspector) call(t *ast.CallNode) {
	from, to := in.c.span(t)
	name, ok := t.Callee.(*ast.IdentifierNode)
	if !ok {
		hint := in.fronted(t.Callee, t.Arguments)
		in.refuse(t, "a value has no functions of its own here", hint)
		return
	}
	f := findFunction(name.Value)
	if f == nil {
		in.unknownFunction(name.Value, name, t.Arguments)
		return
	}
	if n := len(t.Arguments); n < f.least || n > f.most {
		in.c.report(Problem{From: from, To: to, Kind: KindSyntax, Message: f.Name + " is given too few or too many values", Hint: "write " + f.Signature})
		return
	}
	if table, ok := t.Arguments[len(t.Arguments)-1].(*ast.StringNode); f.Name == "in_lookup" && ok {
		if _, first := t.Arguments[0].(*ast.StringNode); !first {
			hint := "the table comes first: write `in_lookup(\"" + table.Value + "\", x)`"
			if path, ok := in.pathOf(t.Arguments[0]); ok {
				hint = strings.Replace(hint, ", x)", ", "+path.String()+")", 1)
			}
			in.c.report(Problem{From: from, To: to, Kind: KindName, Message: "in_lookup needs the name of a table as a text",
				Hint: hint})
			return
		}
	}
	for i, arg := range t.Arguments {
		need := needValue
		if f.Name == "blank" || f.Name == "in_lookup" {
			need = needAny
		}
		if f.Name == "close_to" {
			need = needNumber
		}
		in.visit(arg, need)
		in.argument(f, i, arg)
	}
}

// fronted says how a function is written that stands behind its value, as in
// name.lower().
func (in *inspector) fronted(callee ast.Node, args []ast.Node) string {
	if chain, ok := callee.(*ast.ChainNode); ok {
		callee = chain.Node
	}
	m, ok := callee.(*ast.MemberNode)
	if !ok {
		return "write the function in front: len(x)"
	}
	name, ok := m.Property.(*ast.StringNode)
	if !ok {
		return "write the function in front: len(x)"
	}
	at, ok := in.pathOf(m.Node)
	if !ok {
		return "write the function in front: len(x)"
	}
	of := at.String()
	if hint := ruleHabits[strings.ToLower(name.Value)]; hint != "" {
		out := strings.NewReplacer("data.name", of, "data.list", of).Replace(hint)
		if len(args) == 1 {
			from, to := in.c.span(args[0])
			out = strings.NewReplacer(`"x"`, in.c.src[from:to], `"^x"`, in.c.src[from:to]).Replace(out)
		}
		return "write `" + out + "`"
	}
	if _, known := builtins[name.Value]; known && len(args) == 0 {
		return "write `" + name.Value + "(" + of + ")`"
	}
	return "write the function in front: len(" + of + ")"
}

// argument checks literal arguments of the added functions.
func (in *inspector) argument(f *Function, i int, arg ast.Node) {
	from, to := in.c.span(arg)
	text, isText := arg.(*ast.StringNode)
	switch {
	case f.Name == "in_lookup" && i == 0:
		if !isText {
			in.c.report(Problem{From: from, To: to, Kind: KindName, Message: "in_lookup needs the name of a table as a text", Hint: f.Signature})
			return
		}
		in.c.tables = append(in.c.tables, Table{Name: text.Value, From: from, To: to})
		if in.c.scope.Lookup == nil {
			return
		}
		if _, ok := in.c.scope.Lookup(text.Value); !ok {
			p := Problem{From: from, To: to, Kind: KindName, Message: "there is no lookup `" + text.Value + "`", Table: text.Value}
			if near := diag.Nearest(text.Value, in.c.scope.Tables); len(near) > 0 {
				p.Short, p.Replace = "did you mean `"+near[0]+"`?", `"`+near[0]+`"`
			} else if known := in.c.scope.Tables; len(known) > 0 && len(known) <= 12 {
				p.Hint = "you can use: " + strings.Join(known, ", ")
			}
			in.c.report(p)
		}
	case f.Name == "within" && i == 1 && isText:
		if _, ok := parseRange(text.Value); !ok {
			in.c.report(Problem{From: from, To: to, Kind: KindSyntax, Message: "`" + text.Value + "` is not a range of the day", Hint: `write "22:00-06:00"`})
		}
	case f.Name == "within" && i == 2 && isText:
		if _, err := value.LoadZone(text.Value); err != nil {
			in.c.report(Problem{From: from, To: to, Kind: KindSyntax, Message: "there is no zone " + text.Value, Hint: "use an IANA name such as Europe/Berlin"})
		}
	}
}

func (in *inspector) unknownFunction(name string, n ast.Node, args []ast.Node) {
	from, to := in.c.span(n)
	p := Problem{From: from, To: to, Kind: KindName, Message: "there is no function `" + name + "` in a rule"}
	var known []string
	for b := range builtins {
		known = append(known, b)
	}
	for _, f := range Functions {
		known = append(known, f.Name)
	}
	slices.Sort(known)
	if hint := ruleHabits[strings.ToLower(name)]; hint != "" {
		if len(args) > 0 {
			if path, ok := in.pathOf(args[0]); ok {
				hint = strings.NewReplacer("data.name", path.String(), "data.list", path.String()).Replace(hint)
			}
		}
		p.Hint = "write `" + hint + "`"
	} else if near := diag.Nearest(name, known); len(near) > 0 {
		p.Short, p.Replace = "did you mean `"+near[0]+"`?", near[0]
	} else {
		p.Hint = "functions are: " + strings.Join(known, ", ") + "; what they cannot say is computed in a mapping"
	}
	in.c.report(p)
}

// ruleHabits says what to write instead of functions of other languages.
var ruleHabits = map[string]string{
	"exists": "data.name != nil", "isset": "data.name != nil", "defined": "data.name != nil", "has": "data.name != nil", "notnull": "data.name != nil", "isnotnull": "data.name != nil",
	"isnull": "data.name == nil", "is_null": "data.name == nil", "isempty": "blank(data.name)", "is_empty": "blank(data.name)", "isblank": "blank(data.name)", "empty": "blank(data.name)",
	"length": "len(data.list)", "size": "len(data.list)", "strlen": "len(data.name)", "contains": `data.name contains "x"`, "includes": `data.name contains "x"`, "startswith": `data.name startsWith "x"`,
	"starts_with": `data.name startsWith "x"`, "endswith": `data.name endsWith "x"`, "ends_with": `data.name endsWith "x"`, "matches": `data.name matches "^x"`, "match": `data.name matches "^x"`, "test": `data.name matches "^x"`, "regex": `data.name matches "^x"`,
	"coalesce": "(data.name ?? 0)", "ifnull": "(data.name ?? 0)", "nvl": "(data.name ?? 0)", "default": "(data.name ?? 0)", "number": "float(data.name)", "tonumber": "float(data.name)", "tostring": "string(data.name)", "str": "string(data.name)",
	"toupper": "upper(data.name)", "ucase": "upper(data.name)", "uppercase": "upper(data.name)", "tolower": "lower(data.name)", "lcase": "lower(data.name)", "lowercase": "lower(data.name)", "and": "a and b", "or": "a or b", "not": "not a", "equals": "a == b", "eq": "a == b",
	"select": "any(data.list, .name == 1)", "lookup": `in_lookup("table", data.name)`,
}

// refused says why some of expr's functions are not available.
var refused = map[string]string{
	"now": "use run.now, which stays the same for a whole run", "reduce": "use sum, count, any or all", "matches": "",
	"toJSON": "compute it in a mapping", "fromJSON": "compute it in a mapping", "join": "compute it in a mapping",
	"repeat": "compute it in a mapping", "replace": "compute it in a mapping", "timezone": "use within(t, range, zone)",
}

func (in *inspector) builtin(t *ast.BuiltinNode) {
	known, ok := builtins[t.Name]
	if !ok {
		hint, said := refused[t.Name]
		if !said {
			hint = "compute it in a mapping"
		}
		in.refuse(t, "the function `"+t.Name+"` is not available in a rule", hint)
		return
	}
	if in.mapping > 0 && slices.Contains(growing, t.Name) {
		in.refuse(t, "`"+t.Name+"` cannot stand inside map()", "compare the fields themselves")
	}
	if n := len(t.Arguments); n < known.least || n > known.most {
		hint := ""
		if t.Name == "date" {
			hint = "date takes no zone in a rule: use within(t, range, zone) or datetimes with an offset"
		}
		from, to := in.c.span(t)
		in.c.report(Problem{From: from, To: to, Kind: KindSyntax, Message: t.Name + " is given too few or too many values", Hint: hint})
		return
	}
	in.visit(t.Arguments[0], known.need)
	for _, arg := range t.Arguments[1:] {
		p, ok := arg.(*ast.PredicateNode)
		if !ok {
			in.visit(arg, known.need)
			continue
		}
		if in.predicates++; in.predicates > maxPredicates {
			in.refuse(t, "lists are walked over inside one another more than twice", "split the rule, or prepare the data in a mapping")
		}
		if t.Name == "map" {
			in.mapping++
		}
		in.into(t.Arguments[0], func() { in.visit(p.Node, predicateNeed(t.Name)) })
		if t.Name == "map" {
			in.mapping--
		}
		in.predicates--
	}
}

func predicateNeed(name string) need {
	switch name {
	case "map":
		return needAny
	case "sum":
		return needNumber
	}
	return needBool
}
