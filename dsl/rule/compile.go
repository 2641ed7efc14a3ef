package rule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"crossdock/dsl/diag"
)

// compilation is the work of one Compile.
type compilation struct {
	src      string
	offsets  []int // rune to byte, nil where they are the same
	scope    Scope
	problems []Problem
	paths    []Path
	wants    []Want
	counted  []Counted
	tables   []Table
	fatal    bool
}

// span returns where a node stands, in bytes.
func (c *compilation) span(n ast.Node) (from, to int) {
	loc := n.Location()
	return c.bytes(loc.From), c.bytes(loc.To)
}

func (c *compilation) bytes(rune int) int {
	if c.offsets == nil {
		return max(0, min(rune, len(c.src)))
	}
	return c.offsets[max(0, min(rune, len(c.offsets)-1))]
}

// report adds a problem once.
func (c *compilation) report(p Problem) {
	p.From, p.To = max(0, min(p.From, len(c.src))), max(0, min(p.To, len(c.src)))
	if p.To < p.From {
		p.To = p.From
	}
	switch p.Kind {
	case KindSyntax, KindLimit, KindName:
		c.fatal = true
	}
	for _, q := range c.problems {
		if q.From == p.From && q.To == p.To && q.Kind == p.Kind {
			return
		}
	}
	c.problems = append(c.problems, p)
}

func (c *compilation) compile() (p *Program) {
	// Whatever a source makes of the checks, only its own rule is lost.
	defer func() {
		if recover() != nil {
			c.report(Problem{To: len(c.src), Kind: KindLimit, Message: "the rule cannot be checked", Hint: "write it more simply"})
			p = nil
		}
	}()
	tree, ok := c.parse()
	if !ok {
		return nil
	}
	in := &inspector{walker: walker{c: c}, present: map[string]int{}}
	in.visit(tree.Node, needBool)
	if c.fatal {
		return nil
	}
	slices.SortStableFunc(c.paths, func(a, b Path) int { return a.From - b.From })
	p, err := c.assemble(false)
	if err != nil {
		// The checker refuses what cannot fit whatever the values are.
		c.report(c.checkerProblem(err))
		return nil
	}
	p.wants, p.counted = c.wants, c.counted
	p.careful = sync.OnceValues(func() (*Program, error) { return c.assemble(true) })
	p.parts = sync.OnceValue(func() []*Program { return c.split(tree.Node) })
	p.truth = c.truth(tree.Node, p)
	p.demands, p.onlyDemands = told(tree.Node)
	p.choice, p.lead = choiceOf(tree.Node), leadOf(tree.Node)
	if len(c.problems) == 0 || !slices.ContainsFunc(c.problems, func(q Problem) bool { return !q.Warning }) {
		c.strict()
	}
	return p
}

// parse reads the source. The library's panics become problems.
func (c *compilation) parse() (tree *parser.Tree, ok bool) {
	defer func() {
		if recover() != nil {
			c.report(Problem{To: len(c.src), Kind: KindSyntax, Message: "the rule cannot be read"})
			tree, ok = nil, false
		}
	}()
	config := newConfig()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(c.src, config)
	if err != nil {
		c.report(c.syntaxProblem(err))
		return nil, false
	}
	return tree, true
}

// syntaxProblem words a parse error and recognises the slips of people who
// come from jq, SQL or other languages.
func (c *compilation) syntaxProblem(err error) Problem {
	p := Problem{To: len(c.src), Kind: KindSyntax, Message: "the rule cannot be read"}
	var at *file.Error
	if !errors.As(err, &at) {
		return p
	}
	p.From, p.To = c.bytes(at.From), c.bytes(at.To)
	if p.From >= len(c.src) {
		p.From = max(0, len(c.src)-1)
	}
	if p.To <= p.From {
		p.To = min(p.From+1, len(c.src))
	}
	word := c.src[p.From:p.To]
	message := strings.SplitN(at.Message, "\n", 2)[0]
	switch {
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return Problem{To: len(c.src), Kind: KindLimit, Message: "the rule has more than 300 parts", Hint: "split it, or compute part of it in a mapping"}
	case strings.Contains(message, "cannot use pointer accessor outside"), word == "." && c.after(p.From) != "":
		p.Message, p.Hint = "a name cannot begin with a dot here", "in a rule the payload is called data: write `data."+c.after(p.From)+"`"
	case strings.Contains(message, "unexpected token EOF"):
		p.Message, p.Hint = "the rule ends too early", "something is missing at the end, such as a value or a closing bracket"
		p.From = max(0, len(c.src)-1)
		p.To = len(c.src)
	case strings.Contains(message, "literal not terminated"):
		p.Message, p.Hint = "a text is opened and never closed", "close it with the same quote"
	case strings.Contains(message, "cannot be mixed"):
		p.Message, p.Hint = "`"+word+"` cannot stand beside `??` without brackets", "write `(x ?? y) "+word+" ...`"
	case strings.Contains(message, "unclosed"):
		p.Message, p.Hint = "a bracket is opened and never closed", ""
	case c.operator(&p):
	case word == "=" || c.near(p.From, "= "):
		p.Message, p.Hint = "`=` does not compare", "write `==`"
	case word == "!":
		p.Message, p.Hint = "`!` cannot stand here", "write `!=` or `not`"
	case c.near(p.From, "$"):
		p.Message, p.Hint = "a name cannot begin with $ in a rule", "write `meta`, not `$meta`"
	case strings.Contains(message, "unexpected token"):
		p.Message = "`" + word + "` is not expected here"
		p.Hint = foreign(word)
		if word == "," && inBrackets(c.src[:p.From]) {
			p.Hint = "several values stand in [ ]: `in [\"A\", \"B\"]`"
		}
		if number := decimalComma.FindString(c.src[:p.From]); word == "," && number != "" {
			if behind := leadingDigits.FindString(c.src[p.To:]); behind != "" {
				p.Hint = "decimals stand behind a point: `" + number + "." + behind + "`"
			}
		}
		if bar := strings.Index(c.src, " | "); p.Hint == "" && bar >= 0 {
			p.Hint = "`|` belongs to jq; in a rule a function stands around its value, as in len(data.items ?? []) > 0"
		}
	case strings.ContainsAny(word, "“”„‟«»‘’‚"):
		p.Message, p.Hint = "`"+word+"` is no quote that a rule knows: word processors write it", "write the straight quote: `\"`"
	default:
		p.Message = "the rule cannot be read: " + plainWords(message)
	}
	return p
}

var (
	decimalComma  = regexp.MustCompile(`\d+$`)
	leadingDigits = regexp.MustCompile(`^\d+`)
)

// near reports whether the source has text at or just before i.
func (c *compilation) near(i int, text string) bool {
	return strings.HasPrefix(c.src[i:], text) || i > 0 && strings.HasPrefix(c.src[i-1:], text)
}

// after returns the name behind the dot at or near i.
func (c *compilation) after(i int) string {
	rest := strings.TrimLeft(c.src[i:], ".")
	end := 0
	for end < len(rest) && (rest[end] == '_' || rest[end] == '.' || rest[end] >= '0' && rest[end] <= '9' || rest[end]|0x20 >= 'a' && rest[end]|0x20 <= 'z') {
		end++
	}
	return rest[:end]
}

// inBrackets reports whether a text ends within the brackets of `in (`.
func inBrackets(before string) bool {
	i := strings.LastIndex(before, "(")
	return i >= 0 && strings.HasSuffix(" "+strings.TrimRight(strings.ToLower(before[:i]), " "), " in")
}

// foreign recognises words of other languages.
func foreign(word string) string {
	switch strings.ToUpper(word) {
	case "AND", "OR", "NOT", "IN":
		return "write `" + strings.ToLower(word) + "` in lower case"
	case "UND", "Y", "ET", "E", "EN":
		return "write `and`"
	case "ODER", "OU", "O", "OF":
		return "write `or`"
	case "NICHT", "PAS", "NIET":
		return "write `not`"
	case "IS":
		return "write `==`, or `== nil` for what is missing"
	case "LIKE":
		return "use `contains`, `startsWith`, `endsWith` or `matches`"
	case "<>", "NE":
		return "write `!=`"
	case "EQ", "EQUALS":
		return "write `==`"
	case "GT":
		return "write `>`"
	case "GE", "GTE":
		return "write `>=`"
	case "LT":
		return "write `<`"
	case "LE", "LTE":
		return "write `<=`"
	case "?":
		return "write `a ? b : c`, or `??` for a value where there is none"
	case "BETWEEN":
		return "write `x >= a and x <= b`"
	case "&", "&&":
		return "write `and`"
	case "==":
		return "to compare with several values use `in [a, b]`"
	}
	return ""
}

// assemble lowers the tree and compiles it for the machine.
func (c *compilation) assemble(careful bool) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%v", r)
		}
	}()
	config := newConfig()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(c.src, config)
	if err != nil {
		return nil, err
	}
	l := &lowering{walker: walker{c: c}, careful: careful, places: map[int]operation{}, names: map[string]string{}}
	tree.Node = l.lower(tree.Node, plain)
	code, err := machine(tree, c.scope)
	if err != nil {
		return nil, err
	}
	return &Program{source: c.src, paths: c.paths, tables: c.tables, slots: l.slots, code: code, looped: l.looped, places: l.places}, nil
}

// yesNo are words that other tools take for true and false.
var yesNo = map[string]string{"yes": "true", "ja": "true", "on": "true", "no": "false", "nein": "false", "off": "false"}

// compared reports whether a name stands where a text does that something is
// compared with: alone behind == or !=, or in a list.
func (c *compilation) compared(from, to int) bool {
	before, after := strings.TrimRight(c.src[:from], " "), strings.TrimLeft(c.src[to:], " ")
	if strings.HasPrefix(after, ".") || strings.HasPrefix(after, "(") || strings.HasPrefix(after, "[") {
		return false
	}
	lower := strings.ToLower(c.src[from:to])
	if lower == "true" || lower == "false" {
		return false
	}
	if strings.HasSuffix(before, "==") || strings.HasSuffix(before, "!=") {
		return true
	}
	open := strings.LastIndexAny(before, "[]")
	return open >= 0 && before[open] == '[' && strings.HasSuffix(strings.TrimRight(before[:open], " "), " in") && strings.IndexByte("[,", before[len(before)-1]) >= 0
}

// unknownName words a name that does not exist.
func (c *compilation) unknownName(name string, from, to int) {
	p := Problem{From: from, To: to, Kind: KindName, Message: "there is no `" + name + "` here"}
	var names []string
	for _, n := range Names {
		if _, ok := c.scope.Names[n]; ok {
			names = append(names, n)
		}
	}
	p.Hint = "names that exist here: " + strings.Join(names, ", ")
	if _, ok := c.scope.Names["data"]; ok && strings.Trim(name, "$") == name {
		where, of := "data", "the payload"
		if _, ok := c.scope.Names["response"]; ok {
			where, of = "response", "the answer"
			if name != "status" && name != "headers" && name != "body" {
				where = "response.body"
			}
		}
		p.Hint = "a field of " + of + " is written `" + where + "." + name + "`; " + p.Hint
	}
	if near := diag.Nearest(strings.TrimPrefix(name, "$"), names); len(near) > 0 {
		p.Short, p.Replace, p.Hint = "did you mean `"+near[0]+"`?", near[0], "names that exist here: "+strings.Join(names, ", ")
	} else if shape := c.scope.Names["data"]; shape != nil && shape.Fields[name] != nil {
		p.Short, p.Replace = "did you mean `data."+name+"`?", "data."+name
	} else if strings.EqualFold(name, "null") || strings.EqualFold(name, "none") || strings.EqualFold(name, "undefined") {
		p.Short, p.Replace = "did you mean `nil`?", "nil"
		p.Hint = "names that exist here: " + strings.Join(names, ", ")
	} else if steps := c.scope.Names["steps"]; steps != nil && steps.Fields[name] != nil {
		p.Short, p.Replace = "did you mean `steps."+name+"`?", "steps."+name
		p.Hint = "a step keeps its answer as `" + name + "`"
	} else if yes, ok := yesNo[strings.ToLower(name)]; ok {
		p.Short, p.Replace, p.Hint = "did you mean `"+yes+"`?", yes, "a rule answers `true` or `false`"
	} else if c.compared(from, to) {
		p.Short, p.Replace = "did you mean `\""+name+"\"`?", `"`+name+`"`
		p.Hint = "a text stands in double quotes; a field of the payload is written `data." + name + "`"
	} else if lower := strings.ToLower(name); lower != name && (lower == "true" || lower == "false") {
		p.Short, p.Replace = "did you mean `"+lower+"`?", lower
	}
	c.report(p)
}
