package worker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/jq"
	"crossdock/dsl/value"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/mutant"
	"crossdock/runtime/queue"
)

// Limits bound what strangers can send.
type Limits struct {
	MaxBody  int64
	MaxDepth int
}

// limits are those that a workspace sets.
func limits(ws *compile.Workspace) Limits {
	l := Limits{MaxBody: 1 << 20, MaxDepth: 200}
	if ws.Spec == nil {
		return l
	}
	l.MaxBody = ws.Spec.Limits.MaxBody.Or(l.MaxBody)
	if d := ws.Spec.Limits.MaxDepth; d > 0 {
		l.MaxDepth = d
	}
	return l
}

// NewID returns a message ID: 26 characters that sort by time of creation.
func NewID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(b[6:]); err != nil {
		panic(err) // the system has no randomness: nothing can be promised
	}
	return idEncoding.EncodeToString(b[:])
}

var idEncoding = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Intake makes jobs of what comes in for one pipeline: it decodes, checks the
// contract, splits and identifies. It has no side effects.
type Intake struct {
	WS     *compile.Workspace
	P      *compile.Pipeline
	Limits Limits

	again bool // what does not fit the contract is refused, although the pipeline holds such
	unfit bool // the last message did not fit the contract
	kept  bool // the message is kept when it is done
}

// Lane is where messages of the pipeline wait.
func (in *Intake) Lane() string { return "in/" + in.P.Name }

// Jobs returns the jobs for one message; id is its ID, and its items get IDs
// below it. Where there is nothing to do, because `when` is false or a split
// gave no items, it returns instead the history that says so.
func (in *Intake) Jobs(ctx context.Context, id string, m *message.Message) ([]queue.Job, []queue.Entry, *connectors.Rejection) {
	body := m.Body
	if m.Raw != nil {
		decoded, err := in.Decode(m.Raw, &m.Meta)
		if err != nil {
			return nil, nil, rejected(400, "the body cannot be read", "", err.Error())
		}
		body = decoded
	}
	if rej := in.misfit(body, m.Raw); rej != nil {
		in.unfit = true
		if in.P.Hold && !in.again {
			return []queue.Job{in.drifted(ctx, id, m, body, rej)}, nil, nil
		}
		return nil, nil, rej
	}
	base := flow.Run{ID: id, Pipeline: in.P.Name, Revision: in.WS.Revision, Now: m.Meta.ReceivedAt, Meta: m.Meta,
		Priority: in.P.Policy.Priority, Original: body, Raw: m.Raw, Body: body, Trace: m.Trace, Occurred: m.OccurredAt, Kept: in.kept}
	scope := flow.Scope(ctx, in.WS, in.P, &base, 1)
	if in.P.When != nil {
		// Before anything is asked of the payload: what is not meant for this
		// pipeline needs no key.
		yes, err := scope.Yes(in.P.When, body)
		switch {
		case err != nil && in.P.Split != nil:
			// The definition is at fault, not the sender: a dead letter tells why.
			return []queue.Job{in.Faulty(ctx, id, m, rejected(422, "the payload cannot be judged", "when", err.Error()))}, nil, nil
		case err != nil:
			// The worker meets the same error and makes a dead letter of it.
		case !yes:
			return nil, in.nothing(scope, &base, "`when` is false: "+in.P.When.Source()), nil
		}
	}
	record := m.Meta.File != nil && m.Meta.File.Record > 0 && in.P.PerRecord()
	if in.P.Split == nil || record && in.P.Trigger.Files.Format.Value == "csv" {
		job, rej := in.job(scope, base, m.Raw, nil)
		if rej != nil {
			return nil, nil, rej
		}
		return []queue.Job{job}, nil, nil
	}
	jobs, rej := in.split(ctx, scope, base)
	if rej == nil && len(jobs) == 0 {
		return nil, in.nothing(scope, &base, "`split` gave no items"), nil
	}
	return jobs, nil, rej
}

// nothing is the history of a message that is done when it comes.
func (in *Intake) nothing(scope *cell.Scope, r *flow.Run, why string) []queue.Entry {
	accepted := queue.Entry{Message: r.ID, At: r.Now, Kind: queue.Accepted, Pipeline: r.Pipeline, Revision: r.Revision,
		Refs: flow.Refs(r.Trace, in.trace(scope, r.Body))}
	filtered := accepted
	filtered.Kind, filtered.Detail, filtered.Refs = queue.Filtered, why, nil
	return []queue.Entry{accepted, filtered}
}

// Decode reads the bytes of a message by the format of the trigger.
func (in *Intake) Decode(raw []byte, meta *message.Meta) (any, error) {
	if t := in.P.Trigger.HTTP; t != nil {
		switch t.Format.Value {
		case "form":
			return decodeForm(raw)
		case "text":
			return string(raw), nil
		}
	}
	if meta.Type == "text/plain" && meta.Source == "files" {
		return string(raw), nil
	}
	return message.Decode(raw, message.Limits{Depth: in.Limits.MaxDepth})
}

// split makes one job of each item.
func (in *Intake) split(ctx context.Context, scope *cell.Scope, base flow.Run) ([]queue.Job, *connectors.Rejection) {
	values, err := scope.All(in.P.Split, base.Body)
	if err != nil {
		return nil, rejected(422, "the payload cannot be split", "split", err.Error())
	}
	var jobs []queue.Job
	seen := map[string]int{}
	for i, item := range flow.Flatten(values) {
		r := base
		r.ID = fmt.Sprintf("%s.%d", base.ID, i+1)
		r.Body, r.Mapped = item, true
		if !in.P.ReadsOriginal {
			r.Original, r.Raw, r.Mapped = item, nil, false
		}
		job, rej := in.job(flow.Scope(ctx, in.WS, in.P, &r, 1), r, nil, seen)
		if rej != nil {
			for j := range rej.Problems {
				rej.Problems[j].Field = fmt.Sprintf("item %d: %s", i+1, rej.Problems[j].Field)
			}
			return nil, rej
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// job identifies one run, whose cells see scope, and wraps it up. content is what a repeat of the
// message must equal. seen counts the keys of the same message: two equal items
// of one message are two, and a repeat of the message repeats both.
func (in *Intake) job(scope *cell.Scope, r flow.Run, content []byte, seen map[string]int) (queue.Job, *connectors.Rejection) {
	p := in.P
	var bad []connectors.Problem
	r.Key = r.ID
	job := queue.Job{ID: r.ID, Lane: in.Lane(), Priority: queue.Priority(r.Priority)}
	if len(p.Key) > 0 {
		parts := make([]any, 0, len(p.Key))
		said := false // some part is more than blanks
		for _, k := range p.Key {
			v, err := one(scope, k, r.Body)
			if err != nil || v == nil {
				bad = append(bad, missing("key", k, err))
				continue
			}
			said = said || !blank(v)
			parts = append(parts, v)
		}
		if !said && bad == nil {
			bad = append(bad, connectors.Problem{Field: "key", Message: "every part of the key is blank in this payload"})
		}
		key := message.Marshal(parts)
		if seen != nil && len(bad) == 0 {
			seen[string(key)]++
			if n := seen[string(key)]; n > 1 {
				key = fmt.Appendf(key, "#%d", n)
			}
		}
		r.Key = string(key)
		job.Dedupe = dedupeKey(p.Name, key)
		job.DedupeTTL = p.Policy.Remember
		if mutant.On(mutant.M13) {
			job.DedupeTTL = time.Second
		}
		if content == nil {
			content = message.Marshal(r.Body)
		}
		job.Digest = digest(content)
	} else if r.Meta.Source == "schedule" || r.Meta.Source == "files" {
		// Their IDs follow from what they stand for: what is handed over again,
		// after a crash or by another replica, is known although it is done.
		job.Dedupe = dedupeKey(p.Name, []byte("id "+r.ID))
		job.DedupeTTL = p.Policy.Remember
	}
	if p.OrderBy != nil {
		v, err := one(scope, p.OrderBy, r.Body)
		text, isText := value.Text(v)
		if err != nil || !isText {
			bad = append(bad, missing("order_by", p.OrderBy, err))
		}
		r.OrderKey = text
		if (p.Policy.Ordered || p.Policy.Collapse) && !mutant.On(mutant.M6) {
			job.Key = text
		}
	}
	if bad != nil {
		return job, &connectors.Rejection{Status: 422, Message: "the payload cannot be identified", Problems: bad}
	}
	r.Trace = flow.Refs(r.Trace, in.trace(scope, r.Body))
	if p.EventTime != nil {
		// A time that is missing or wrong says nothing about the message.
		if v, err := one(scope, p.EventTime, r.Body); err == nil {
			r.Occurred = moment(v)
		}
	}
	in.wrap(&job, &r)
	return job, nil
}

// wrap puts the run into the job, with the history it begins with.
func (in *Intake) wrap(job *queue.Job, r *flow.Run) {
	job.Body = flow.Encode(make([]byte, 0, len(r.Raw)+256), r)
	job.Hint = r
	entry := queue.Entry{Message: r.ID, At: r.Now, Kind: queue.Accepted, Pipeline: r.Pipeline, Revision: r.Revision, Refs: r.Trace}
	if r.Meta.Event != nil {
		entry.Detail = "event " + r.Meta.Event.Name
	}
	both := []queue.Entry{entry, entry}
	job.Fresh, job.Again = both[:1:1], both[1:]
}

// Faulty returns a job for a message that could not be identified, for
// sources that have nobody to refuse it to. It ends as a dead letter with the
// reason, so that nothing vanishes.
func (in *Intake) Faulty(ctx context.Context, id string, m *message.Message, rej *connectors.Rejection) queue.Job {
	r := flow.Run{ID: id, Pipeline: in.P.Name, Revision: in.WS.Revision, Key: id, Now: m.Meta.ReceivedAt, Meta: m.Meta,
		Priority: in.P.Policy.Priority, Original: m.Body, Raw: m.Raw, Body: m.Body, Trace: in.numbers(ctx, id, m), Fault: in.hide(m, rej.Error())}
	job := queue.Job{ID: id, Lane: in.Lane(), Priority: queue.Priority(r.Priority)}
	if m.Meta.File != nil {
		job.Dedupe = dedupeKey(in.P.Name, fmt.Appendf(nil, "file %s %d", m.Meta.File.SHA256, m.Meta.File.Record))
		job.DedupeTTL = in.P.Policy.Remember
	}
	in.wrap(&job, &r)
	return job
}

// numbers are the business numbers of a message that is refused, held or at
// fault, as far as they can be read: somebody will ask where it is.
func (in *Intake) numbers(ctx context.Context, id string, m *message.Message) []message.Ref {
	body := m.Body
	if body == nil && m.Raw != nil {
		var err error
		if body, err = in.Decode(m.Raw, &m.Meta); err != nil {
			return m.Trace
		}
	}
	r := flow.Run{ID: id, Pipeline: in.P.Name, Revision: in.WS.Revision, Now: m.Meta.ReceivedAt, Meta: m.Meta, Original: body, Raw: m.Raw, Body: body}
	return flow.Refs(m.Trace, in.trace(flow.Scope(ctx, in.WS, in.P, &r, 1), body))
}

func (in *Intake) trace(scope *cell.Scope, body any) []message.Ref {
	var refs []message.Ref
	for _, t := range in.P.TraceBy {
		values, err := scope.All(t.Cell, body)
		if err != nil {
			continue // a number that is not there cannot be looked for
		}
		for _, v := range flow.Flatten(values) {
			if text, ok := value.Text(v); ok && text != "" && len(text) <= 200 && len(refs) < 50 {
				refs = append(refs, message.Ref{Type: t.Type, Value: text})
			}
		}
	}
	return refs
}

// blank reports whether a part of a key says nothing: such a key would make one
// message of all that lack it.
func blank(v any) bool {
	text, isText := v.(string)
	return isText && strings.TrimSpace(text) == ""
}

func one(scope *cell.Scope, p *jq.Program, body any) (any, error) {
	v, _, err := scope.One(p, body)
	return v, err
}

func missing(field string, p *jq.Program, err error) connectors.Problem {
	var several *jq.SeveralError
	if field == "key" && errors.As(err, &several) {
		return connectors.Problem{Field: field, Message: fmt.Sprintf("`%s` %s; a key of several parts is a list of cells: key: [.order, .line]", p.Source(), several)}
	}
	if err != nil {
		if long(p.Source()) { // what it says itself counts more than how it is written
			return connectors.Problem{Field: field, Message: err.Error()}
		}
		return connectors.Problem{Field: field, Message: fmt.Sprintf("`%s` failed: %s", p.Source(), err)}
	}
	if long(p.Source()) {
		return connectors.Problem{Field: field, Message: "it has no value in this payload"}
	}
	return connectors.Problem{Field: field, Message: fmt.Sprintf("`%s` has no value in this payload", p.Source())}
}

// long reports whether a cell is more than a line that everybody takes in at a
// glance.
func long(src string) bool { return len(src) > 60 || strings.Contains(strings.TrimSpace(src), "\n") }

func rejected(status int, text, field, problem string) *connectors.Rejection {
	return &connectors.Rejection{Status: status, Message: text, Problems: []connectors.Problem{{Field: field, Message: problem}}}
}

func dedupeKey(pipeline string, key []byte) string {
	text := append(append(make([]byte, 0, 256), pipeline...), 0)
	sum := sha256.Sum256(append(text, key...))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

var errForm = errors.New("the body is not a form")
