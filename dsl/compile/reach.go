package compile

import "slices"

// Reaches reports whether some run of p can come to an operation: one of its
// steps, what makes sure after an unknown outcome, or what is polled.
func (w *Workspace) Reaches(p *Pipeline, op *Operation) bool {
	if t := p.Trigger.Poll; t != nil && w.Operation(w.Ref(p.Client, t.Call.Value)) == op {
		return true
	}
	for _, s := range p.ByID {
		if s.Target == "" {
			continue
		}
		to := w.Operation(s.Target)
		if to == op || to != nil && to.Check != nil && w.Operation(to.Check.Operation) == op {
			return true
		}
	}
	return false
}

// Beyond is the pipeline that comes to an operation because it hears, at first or
// second hand, what p emits; nil where there is none, or p comes there itself.
func (w *Workspace) Beyond(p *Pipeline, op *Operation) *Pipeline {
	if w.Reaches(p, op) {
		return nil
	}
	seen := map[*Pipeline]bool{p: true}
	for at := []*Pipeline{p}; len(at) > 0; at = at[1:] {
		for _, next := range w.hearers(at[0]) {
			switch {
			case seen[next]:
			case w.Reaches(next, op):
				return next
			default:
				seen[next] = true
				at = append(at, next)
			}
		}
	}
	return nil
}

// hearers are the pipelines that may hear what p emits, in the order of its steps'
// names. An event whose name only running shows may be any.
func (w *Workspace) hearers(p *Pipeline) []*Pipeline {
	var out []*Pipeline
	for _, id := range sortedKeys(p.ByID) {
		s := p.ByID[id]
		if s.Event == nil {
			continue
		}
		names, known := s.Event.EventNames()
		if !known {
			names = sortedKeys(w.Listeners)
		}
		for _, n := range names {
			for _, next := range w.Hears(n, p.Client) {
				if !slices.Contains(out, next) {
					out = append(out, next)
				}
			}
		}
	}
	return out
}

// TestEnds words why the test of p cannot see an operation; "" where it can.
func (w *Workspace) TestEnds(p *Pipeline, op *Operation) (says, hint string) {
	if next := w.Beyond(p, op); next != nil {
		return "`emit` ends the test here: pipeline `" + next.Name + "` comes to " + op.Ref() + ", not `" + p.Name + "`",
			"say what is emitted with `emitted`, and test what follows: test: pipeline " + next.Name
	}
	if w.Reaches(p, op) {
		return "", ""
	}
	return "pipeline `" + p.Name + "` never comes to " + op.Ref() + ", so this tests nothing", "name an operation that one of its steps names, or leave this out"
}
