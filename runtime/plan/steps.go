package plan

import (
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
)

// steps compares lists of steps, which are known by what they do.
func (t *tree) steps(at string, a, b []*ast.Node) {
	old, next := signed(a), signed(b)
	var stayed, now []string
	for _, s := range old {
		if find(next, s.sign) == nil {
			t.add(joined(at, s.sign), "removed", inline(s.node), "")
			continue
		}
		stayed = append(stayed, s.sign)
	}
	for _, s := range next {
		was := find(old, s.sign)
		if was == nil {
			t.add(joined(at, s.sign), "added", "", inline(s.node))
			continue
		}
		now = append(now, s.sign)
		if s.node.Kind == ast.Map && was.Kind == ast.Map {
			t.step(at, s.sign, was, s.node)
		}
	}
	if !slices.Equal(stayed, now) {
		t.add(joined(at, "order of steps"), "moved", strings.Join(stayed, ", "), strings.Join(now, ", "))
	}
}

// step compares two steps that do the same. A route speaks for itself.
func (t *tree) step(at, sign string, a, b *ast.Node) {
	route, was := b.Get("route"), a.Get("route")
	if route == nil || was == nil {
		t.maps(joined(at, sign), a, b)
		return
	}
	for _, key := range union(was, route) {
		if key == "rules" && haveNames(was.Get(key)) && haveNames(route.Get(key)) {
			t.list(joined(at, "rules"), was.Get(key), route.Get(key))
			continue
		}
		t.otherwise(joined(at, "route"), key, was.Get(key), route.Get(key))
	}
}

func (t *tree) otherwise(at, key string, a, b *ast.Node) {
	if key == "otherwise" && a != nil && b != nil && a.Get("to") != nil && b.Get("to") != nil {
		t.steps(joined(at, key), items(a.Get("to")), items(b.Get("to")))
		return
	}
	t.entry(at, key, a, b)
}

type signedStep struct {
	sign string
	node *ast.Node
}

// signed names steps by what they do; the second of the same kind is #2.
func signed(list []*ast.Node) []signedStep {
	count := map[string]int{}
	var out []signedStep
	for _, n := range list {
		sign := "step"
		if n.Kind == ast.Scalar {
			sign = n.Text
		}
		for _, key := range []string{"send", "call", "emit", "map", "dead_letter", "route", "split", "when", "ignore"} {
			v := n.Get(key)
			if v == nil {
				continue
			}
			sign = key
			if slices.Contains([]string{"send", "call", "emit", "map"}, key) {
				sign += " " + v.Text
			}
			break
		}
		if count[sign]++; count[sign] > 1 {
			sign += " #" + strconv.Itoa(count[sign])
		}
		out = append(out, signedStep{sign, n})
	}
	return out
}

func find(list []signedStep, sign string) *ast.Node {
	for _, s := range list {
		if s.sign == sign {
			return s.node
		}
	}
	return nil
}

func items(n *ast.Node) []*ast.Node {
	if n == nil {
		return nil
	}
	if n.Kind == ast.List {
		return n.Items
	}
	return []*ast.Node{n}
}
