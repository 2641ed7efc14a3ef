package lint

import (
	"runtime"
	"sync"
	"sync/atomic"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
)

// Memory keeps what was found in each definition, so that the next run looks
// only at those that were compiled again. The zero value is empty and ready for
// use; it belongs to one run at a time.
type Memory struct{ judged map[*compile.Unit]*judgement }

// judgement is what the rules found in one definition by itself.
type judgement struct {
	list diag.List
	// unless names, by position in list, the field that makes the finding void
	// where some pipeline gives it with `with`.
	unless map[int]string
	reads  []stepRead // of mappings: what they read of `$steps`
	gives  []given    // of mappings and pipelines: what their rows write, and from where
	owners []owner    // of schemas: the systems they name
	told   []telling  // of pipelines: personal data that operations are told
}

// judge returns what is found in each unit of the workspace. It works on all
// processors.
func (m *Memory) judge(in Input) map[*compile.Unit]*judgement {
	units := in.Workspace.Units
	results := make([]*judgement, len(units))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(units), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(units); i = int(next.Add(1)) - 1 {
				if m != nil {
					results[i] = m.judged[units[i]]
				}
				if results[i] == nil {
					results[i] = judge(in, units[i])
				}
			}
		})
	}
	wg.Wait()
	all := make(map[*compile.Unit]*judgement, len(units))
	for i, u := range units {
		all[u] = results[i]
	}
	if m != nil {
		m.judged = all
	}
	return all
}

// judge runs the rules that look at one definition.
func judge(in Input, u *compile.Unit) *judgement {
	p := &pass{Input: in, ws: in.Workspace, cells: make(map[*ast.Node]*cell.Cell, len(u.Cells)), spoken: map[spot]bool{},
		decoded: map[string]*document{}, unit: u, result: &judgement{}}
	for _, c := range u.Cells {
		p.cells[c.Node] = c
	}
	p.known(u.Said())
	for _, rule := range ofOne {
		rule(p)
	}
	for i := range p.list {
		u.Explain(&p.list[i])
	}
	p.result.list = p.list
	return p.result
}
