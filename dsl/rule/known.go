package rule

import (
	"slices"
	"strings"
)

// Known is what rules have asked before a place is reached: whatever comes there
// fits all of it. The zero Known knows nothing.
type Known struct{ facts []fact }

type fact struct {
	demand
	by *Program
}

// With returns what is known where p holds, too.
func (k Known) With(p *Program) Known {
	if p == nil {
		return k
	}
	out := Known{facts: slices.Clone(k.facts)}
	for _, d := range p.demands {
		if !strings.Contains(d.of, "run.") { // an attempt is another one later
			out.facts = append(out.facts, fact{d, p})
		}
	}
	return out
}

// Without returns what is still known where something has another value now: a
// name such as data, or a path such as steps.found.
func (k Known) Without(path string) Known {
	return Known{facts: slices.DeleteFunc(slices.Clone(k.facts), func(f fact) bool { return strings.Contains(f.of, path) })}
}

// Excludes returns a comparison of p that cannot hold after what is known, and the
// one that excludes it with the rule it stands in; nil where there is none.
func (k Known) Excludes(p *Program) (by *Program, front, own string) {
	for _, d := range p.demands {
		asked := newSides()
		var last fact
		for _, f := range k.facts {
			if f.of != d.of {
				continue
			}
			if last.by == nil || !excluded(last.demand, d) {
				last = f
			}
			asked.add(f.demand)
		}
		if last.by == nil || asked.nothing() {
			continue // or it is told of them
		}
		if asked.add(d); asked.nothing() {
			return last.by, last.text, d.text
		}
	}
	return nil, "", ""
}

// excluded reports whether two demands exclude each other.
func excluded(a, b demand) bool {
	s := newSides()
	s.add(a)
	s.add(b)
	return s.nothing()
}
