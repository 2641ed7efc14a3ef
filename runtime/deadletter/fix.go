package deadletter

import (
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/jq"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// Fix is a change of payloads, the same for many dead letters: places and what
// they are set to, one after the other.
type Fix struct {
	rows []*jq.Program
	text string
}

// NewFix compiles rows such as `.address.zip=.address.zip | tostring`: a place
// and a jq expression over the whole payload.
func NewFix(rows []string) (*Fix, error) {
	if len(rows) == 0 {
		return nil, refuse("say what to change: one or more of path=jq, such as .zip=\"10115\"")
	}
	f := &Fix{text: strings.Join(rows, "; ")}
	for _, row := range rows {
		place, expr, ok := strings.Cut(row, "=")
		place, expr = strings.TrimSpace(place), strings.TrimSpace(expr)
		if !ok || place == "" || expr == "" || strings.HasPrefix(expr, "=") || strings.ContainsAny(place, "|;()$,{}") {
			return nil, refuse("`%s` is not of the form path=jq, such as .address.zip=.address.zip | tostring", row)
		}
		if !strings.HasPrefix(place, ".") {
			place = "." + place
		}
		p, problems := jq.Compile(place+" = ("+expr+")", jq.Options{})
		if p == nil {
			return nil, refuse("`%s` cannot be used: %s", row, problems[0].Message)
		}
		f.rows = append(f.rows, p)
	}
	return f, nil
}

// apply returns the changed payload.
func (f *Fix) apply(body any) (any, error) {
	for _, row := range f.rows {
		v, ok, err := row.One(&jq.Frame{}, body)
		if err != nil {
			return nil, refuse("the change fails on this payload: %s", err)
		}
		if !ok {
			return nil, refuse("the change gives nothing for this payload")
		}
		body = v
	}
	return body, nil
}

// fixed changes the payload of a run and returns the history of it, with the
// payload as it was.
func (b *Box) fixed(p *compile.Pipeline, run *flow.Run, how How) (queue.Entry, error) {
	if run.Fault != "" && run.Body == nil && run.Raw != nil {
		v, err := message.Decode(run.Raw, message.Limits{})
		if err != nil {
			return queue.Entry{}, refuse("what was received cannot be read, so it must be edited by itself: %s", err)
		}
		run.Body = v
	}
	payload, err := how.Fix.apply(run.Body)
	if err != nil {
		return queue.Entry{}, err
	}
	return b.edited(p, run, payload, how.Who, how.Reason)
}

// edited gives a run another payload, provided that its contract allows it, and
// returns the history of it.
func (b *Box) edited(p *compile.Pipeline, run *flow.Run, payload any, who, reason string) (queue.Entry, error) {
	// An item of a split is a part of what the contract speaks of.
	if p != nil && p.Accept != nil && p.Split == nil && !run.Mapped {
		if bad := p.Accept.Schema.Validate(payload); len(bad) > 0 {
			return queue.Entry{}, refuse("the new payload is not a valid %s: %s", p.Accept.Name, bad[0])
		}
	}
	before := message.Marshal(run.Body)
	if run.Fault != "" && run.Raw != nil {
		before = run.Raw
	}
	run.Body = payload
	if !run.Mapped {
		run.Original, run.Raw = payload, nil
	}
	e := b.entry(run, queue.Edited, who, reason)
	e.Data = before
	return e, nil
}
