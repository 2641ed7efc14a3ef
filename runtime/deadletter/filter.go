package deadletter

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// Filter says which dead letters are meant. What is not set fits all.
type Filter struct {
	Box      string    `json:"box,omitempty"`
	Client   string    `json:"client,omitempty"` // its code: those of its pipelines
	Pipeline string    `json:"pipeline,omitempty"`
	Group    string    `json:"group,omitempty"` // fingerprint of the cause
	Target   string    `json:"target,omitempty"`
	Field    string    `json:"field,omitempty"`
	Since    time.Time `json:"since,omitzero"` // died then or later
	Until    time.Time `json:"until,omitzero"` // died then or earlier
}

// quick reports whether a letter may fit, by what the store tells without its
// body.
func (f *Filter) quick(j *queue.JobInfo) bool {
	return (f.Box == "" || j.Box == f.Box) && (f.Group == "" || j.Group == f.Group) &&
		(f.Since.IsZero() || !j.DeadAt.Before(f.Since)) && (f.Until.IsZero() || !j.DeadAt.After(f.Until))
}

// needsBody reports whether the rest of the filter needs the body of a letter.
func (f *Filter) needsBody() bool { return f.Client+f.Pipeline+f.Target+f.Field != "" }

// fits reports whether a letter fits what stands in its body.
func (f *Filter) fits(l *Letter) bool {
	if f.Pipeline != "" && l.Pipeline != f.Pipeline || !flow.OfClient(l.Pipeline, f.Client) {
		return false
	}
	if f.Target+f.Field == "" {
		return true
	}
	return l.Cause != nil && (f.Target == "" || l.Cause.Target == f.Target) && (f.Field == "" || l.Cause.Field == f.Field)
}

// pageSize is how many letters are held in memory at a time.
const pageSize = 200

// page reads the letters that fit among the next ones behind after, and where
// the page behind it begins; "" = that was the last one.
func (b *Box) page(ctx context.Context, f *Filter, after string, bodies bool) ([]queue.JobInfo, string, error) {
	page, err := b.Driver.Browse(ctx, queue.Query{View: queue.Jobs, State: queue.DeadJob, Box: f.Box, Limit: pageSize, After: after,
		Bodies: bodies || f.needsBody()})
	if err != nil {
		return nil, "", err
	}
	fit := page.Jobs[:0]
	for i := range page.Jobs {
		if j := &page.Jobs[i]; f.quick(j) {
			if f.needsBody() {
				if l := head(j); !f.fits(&l) {
					continue
				}
			}
			fit = append(fit, *j)
		}
	}
	return fit, page.Next, nil
}

// each visits all letters that fit, page by page.
func (b *Box) each(ctx context.Context, f *Filter, bodies bool, visit func(j *queue.JobInfo) error) error {
	for after := ""; ; {
		jobs, next, err := b.page(ctx, f, after, bodies)
		if err != nil {
			return err
		}
		for i := range jobs {
			if err := visit(&jobs[i]); err != nil {
				return err
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

// head reads what a stored job says about itself, without its payload.
func head(j *queue.JobInfo) Letter {
	l := Letter{ID: j.ID, Box: j.Box, Reason: j.Reason, Group: j.Group, Attempts: j.Attempts, DeadAt: j.DeadAt}
	run, err := flow.Decode(j.Body, func([]byte, *message.Meta) (any, error) { return nil, nil })
	if err != nil && run.ID == "" {
		return l
	}
	l.Pipeline, l.Step, l.Cause, l.Refs = run.Pipeline, run.Step, run.Cause, run.Trace
	return l
}

// Query says which page of dead letters to list.
type Query struct {
	Filter
	After string
	Limit int // 100 unless said otherwise
}

// mostRead is how many letters are read for one page, so that it comes soon
// however few of them fit.
const mostRead = 50 * pageSize

// List returns dead letters, oldest first, without payloads, and where the
// next page begins. Where few letters fit a page may hold fewer than were asked
// for, or none, and another one follow all the same.
func (b *Box) List(ctx context.Context, q Query) ([]Letter, string, error) {
	out := []Letter{}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	after, last, _ := strings.Cut(q.After, within)
	for read := 0; ; read += pageSize {
		if read == mostRead {
			return out, after + within, nil
		}
		page, err := b.Driver.Browse(ctx, queue.Query{View: queue.Jobs, State: queue.DeadJob, Box: q.Box, Limit: pageSize, After: after, Bodies: true})
		if err != nil {
			return nil, "", err
		}
		jobs := page.Jobs
		if i := slices.IndexFunc(jobs, func(j queue.JobInfo) bool { return j.ID == last }); i >= 0 {
			jobs = jobs[i+1:]
		}
		for i := range jobs {
			j := &jobs[i]
			if !q.quick(j) {
				continue
			}
			l := head(j)
			if !q.fits(&l) {
				continue
			}
			if len(out) == limit {
				return out, after + within + out[limit-1].ID, nil
			}
			l = b.letter(j)
			b.hide(&l)
			l.Payload, l.Original, l.Steps, l.Raw = nil, nil, nil, ""
			out = append(out, l)
		}
		if after, last = page.Next, ""; after == "" {
			return out, "", nil
		}
	}
}

// within stands between a page of the store and the last letter shown of it. A
// letter that is dealt with meanwhile makes the page begin again, so a list may
// show letters twice and leaves none out.
const within = "!"

// Group is what dead letters of one kind have in common.
type Group struct {
	Name     string    `json:"name"` // the fingerprint, pipeline, target or field
	Count    int       `json:"count"`
	First    time.Time `json:"first"` // when the first one died
	Last     time.Time `json:"last"`
	Example  string    `json:"example"` // ID of the one that died last
	Pipeline string    `json:"pipeline"`
	Step     string    `json:"step,omitempty"`
	Target   string    `json:"target,omitempty"`
	Field    string    `json:"field,omitempty"`
	Reason   string    `json:"reason"` // of the example
}

// The ways to group dead letters.
var groupings = map[string]func(l *Letter) string{
	"cause":    func(l *Letter) string { return l.Group },
	"pipeline": func(l *Letter) string { return l.Pipeline },
	"box":      func(l *Letter) string { return l.Box },
	"target": func(l *Letter) string {
		if l.Cause == nil || l.Cause.Target == "" {
			return "(none)"
		}
		return l.Cause.Target
	},
	"field": func(l *Letter) string {
		if l.Cause == nil || l.Cause.Field == "" {
			return "(none)"
		}
		return l.Cause.Field
	},
}

// Groupings are the ways to group dead letters, sorted.
func Groupings() []string {
	var out []string
	for name := range groupings {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// mostGroups bounds how many groups are told apart; what is beyond them is
// counted together.
const mostGroups = 1000

// Groups counts dead letters by cause, pipeline, target, field or box, most
// first. It reads page by page: memory is bounded by the number of groups.
func (b *Box) Groups(ctx context.Context, f Filter, by string) ([]Group, error) {
	name := groupings[by]
	if name == nil {
		return nil, refuse("dead letters cannot be grouped by %s; there are %v", by, Groupings())
	}
	groups := map[string]*Group{}
	err := b.each(ctx, &f, true, func(j *queue.JobInfo) error {
		l := head(j)
		key := name(&l)
		g := groups[key]
		if g == nil && len(groups) >= mostGroups {
			key = "(others)"
			g = groups[key]
		}
		if g == nil {
			g = &Group{Name: key, First: l.DeadAt}
			groups[key] = g
		}
		g.Count++
		if l.DeadAt.Before(g.First) {
			g.First = l.DeadAt
		}
		if !l.DeadAt.Before(g.Last) {
			g.Last, g.Example, g.Pipeline, g.Step, g.Reason = l.DeadAt, l.ID, l.Pipeline, l.Step, l.Reason
			if l.Cause != nil {
				g.Target, g.Field = l.Cause.Target, l.Cause.Field
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		if err := b.example(ctx, g); err != nil {
			return nil, err
		}
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return a.First.Compare(b.First)
	})
	return out, nil
}

// example hides what is personal in the reason of a group.
func (b *Box) example(ctx context.Context, g *Group) error {
	l, err := b.Show(ctx, g.Example, false)
	if errors.Is(err, ErrNotFound) {
		g.Reason = mask.Hidden // it was dealt with a moment ago
		return nil
	}
	g.Reason = l.Reason
	return err
}

// BoxInfo tells how full a dead-letter box is.
type BoxInfo struct {
	Name   string        `json:"name"`
	Depth  int           `json:"depth"`
	Oldest time.Time     `json:"oldest,omitzero"` // when its oldest letter died
	Keep   time.Duration `json:"keep,omitempty"`  // the longest of its policies; 0 = no policy names it any more
}

// Boxes tells how full all boxes are, those of the definitions and those that
// hold letters, by name.
func (b *Box) Boxes(ctx context.Context) ([]BoxInfo, error) {
	boxes := map[string]*BoxInfo{}
	box := func(name string) *BoxInfo {
		if boxes[name] == nil {
			boxes[name] = &BoxInfo{Name: name}
		}
		return boxes[name]
	}
	for _, p := range policies(b.Live().WS) {
		i := box(p.Box)
		i.Keep = max(i.Keep, p.Keep)
	}
	err := b.each(ctx, &Filter{}, false, func(j *queue.JobInfo) error {
		i := box(j.Box)
		i.Depth++
		if i.Oldest.IsZero() || j.DeadAt.Before(i.Oldest) {
			i.Oldest = j.DeadAt
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]BoxInfo, 0, len(boxes))
	for _, i := range boxes {
		out = append(out, *i)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// policies returns every policy under which a message can die.
func policies(ws *compile.Workspace) []*compile.Policy {
	var out []*compile.Policy
	for _, p := range ws.Pipelines {
		out = append(out, p.Policy)
		for _, s := range p.ByID {
			if s.Policy != nil {
				out = append(out, s.Policy)
			}
		}
	}
	return out
}

// job reads one dead letter with its body.
func (b *Box) job(ctx context.Context, id string) (*queue.JobInfo, error) {
	page, err := b.Driver.Browse(ctx, queue.Query{View: queue.ByID, ID: id, Bodies: true})
	if err != nil {
		return nil, err
	}
	if len(page.Jobs) == 0 || page.Jobs[0].State != queue.DeadJob {
		return nil, ErrNotFound
	}
	return &page.Jobs[0], nil
}

func notFound(err error) error {
	if errors.Is(err, queue.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
