package flow

import (
	"fmt"
	"strconv"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
)

// Branch is a run that came out of another one.
type Branch struct {
	Run  Run
	Name string // of the rule, or the position of the item
	Lane string // "out/<connection>.<operation>", or "" for the lane of its pipeline
}

// route chooses rules.
func (a *advance) route(s *compile.Step) (*compile.Step, *Outcome) {
	var chosen []compile.Rule
	for _, rule := range s.Route.Rules {
		yes, err := a.scope.Yes(rule.When, a.r.Body)
		if err != nil {
			out := a.dead(&Cause{Code: "rule", Field: rule.Name, Message: fmt.Sprintf("rule %s: %s", rule.Name, err)})
			return nil, &out
		}
		if yes {
			chosen = append(chosen, rule)
			a.routes = append(a.routes, rule.Name)
			if !s.Route.Every {
				break
			}
		}
	}
	switch {
	case len(chosen) == 1:
		return chosen[0].To, nil
	case len(chosen) > 1:
		out := a.fan(chosen)
		return nil, &out
	}
	a.routes = append(a.routes, "otherwise")
	if s.Route.Otherwise == nil {
		out := a.ended("no rule matched")
		return nil, &out
	}
	return s.Route.Otherwise, nil
}

// fan makes one branch of each rule.
func (a *advance) fan(rules []compile.Rule) Outcome {
	out := Outcome{Kind: Fanned}
	for i, rule := range rules {
		b := a.r.branch("b"+strconv.Itoa(i+1), rule.To.ID)
		out.Branches = append(out.Branches, Branch{Run: b, Name: rule.Name, Lane: lane(rule.To)})
	}
	return out
}

// lane is where a branch waits: with the operation of its first effect.
func lane(s *compile.Step) string {
	for ; s != nil; s = s.Next {
		if s.Action == compile.ActSend || s.Action == compile.ActCall {
			return "out/" + s.Target
		}
		if s.Action == compile.ActRoute || s.Action == compile.ActEmit {
			break
		}
	}
	return ""
}

// split makes one branch of each item.
func (a *advance) split(s *compile.Step) Outcome {
	items, err := Items(a.scope, s, a.r.Body)
	if err != nil {
		return a.dead(&Cause{Code: "jq", Message: err.Error()})
	}
	next := End
	if s.Next != nil {
		next = s.Next.ID
	}
	if len(items) == 0 || next == End {
		return a.ended("`split` gave no items")
	}
	out := Outcome{Kind: Fanned}
	for i, item := range items {
		b := a.r.branch(strconv.Itoa(i+1), next)
		b.Key += "/" + s.ID + "/" + strconv.Itoa(i+1)
		b.Body, b.Mapped = item, true
		out.Branches = append(out.Branches, Branch{Run: b, Name: strconv.Itoa(i + 1)})
	}
	return out
}

// Items evaluates a split.
func Items(scope *cell.Scope, s *compile.Step, body any) ([]any, error) {
	values, err := scope.All(s.Split, body)
	if err != nil {
		return nil, err
	}
	return Flatten(values), nil
}

// Flatten makes items of the values a split gave, as `each` does.
func Flatten(values []any) []any { return mapping.Items(values) }
