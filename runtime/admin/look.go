package admin

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"

	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/mask"
	"crossdock/runtime/queue"
)

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"status": "alive"})
}

func (a *API) readiness(w http.ResponseWriter, _ *http.Request) {
	if !a.engine.Ready() {
		write(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
		return
	}
	write(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (a *API) status(r *call) (any, error) {
	s, err := a.engine.Status(r.Context())
	s.LeaveTo(r.URL.Query().Get("client"))
	return s, err
}

func (a *API) queues(r *call) (any, error) {
	page, err := a.engine.Driver().Browse(r.Context(), queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return nil, err
	}
	client := r.URL.Query().Get("client")
	lanes := make([]Lane, 0, len(page.Lanes))
	for _, l := range page.Lanes {
		if _, name, _ := strings.Cut(l.Lane, "/"); !flow.OfClient(name, client) {
			continue
		}
		lanes = append(lanes, Lane{LaneStat: l, Note: a.engine.LaneNote(l.Lane)})
	}
	return lanes, nil
}

// Lane is a lane with a word on what keeps it, where something does.
type Lane struct {
	queue.LaneStat
	Note string `json:"note,omitempty"`
}

func (a *API) balance(r *call) (any, error) {
	q := r.URL.Query()
	if client := q.Get("client"); client != "" {
		mine := func(pipeline string) bool {
			return flow.OfClient(pipeline, client) && (q.Get("pipeline") == "" || pipeline == q.Get("pipeline"))
		}
		return journal.ReadOf(r.Context(), a.engine.Driver(), mine, flow.PipelineOf)
	}
	return journal.ReadShared(r.Context(), a.engine.Driver(), q.Get("pipeline"), flow.PipelineOf)
}

// trace returns the story of all messages with a business reference, or of one
// message.
func (a *API) trace(r *call) (any, error) {
	page, err := a.engine.Driver().Browse(r.Context(), storyOf(r))
	if err != nil {
		return nil, err
	}
	if len(page.Entries) == 0 {
		if err := a.unknownRef(r.URL.Query().Get("ref"), r.URL.Query().Get("client")); err != nil {
			return nil, err
		}
	}
	return a.entries(r, page.Entries)
}

// unknownRef says which names of business numbers there are, where no pipeline
// has one of that name: nothing can be found under it.
func (a *API) unknownRef(name, client string) error {
	var names []string
	for _, p := range a.engine.Worker().Live().WS.Pipelines {
		for _, t := range p.TraceBy {
			if flow.OfClient(p.Name, client) && !slices.Contains(names, t.Type) {
				names = append(names, t.Type)
			}
		}
	}
	if name == "" || slices.Contains(names, name) {
		return nil
	}
	slices.Sort(names)
	switch meant := diag.DidYouMean(name, names); {
	case len(names) == 0:
		return problemf(http.StatusNotFound, "no pipeline has `%s` below `trace_by`, nor any other number: add it, such as trace_by: {%s: .orderNo}", name, name)
	case meant != "":
		return problemf(http.StatusNotFound, "no pipeline has `%s` below `trace_by`: %s There are: %s", name, meant, strings.Join(names, ", "))
	}
	return problemf(http.StatusNotFound, "no pipeline has `%s` below `trace_by`; there are: %s", name, strings.Join(names, ", "))
}

// limit reads how many entries are wanted; 0 = the default.
func limit(r *call) int {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, 10000)
}

// entries leaves payloads out of history unless they are asked for.
func (a *API) entries(c *call, list []queue.Entry) ([]queue.Entry, error) {
	reveal, err := a.reveals(c)
	if err != nil || reveal {
		return list, err
	}
	out := make([]queue.Entry, len(list))
	ws := a.engine.Worker().Live().WS
	personal := map[string]map[string]bool{}
	for i, e := range list {
		e.Data = nil
		if len(e.Refs) > 0 {
			if personal[e.Pipeline] == nil {
				personal[e.Pipeline] = personalRefs(ws.Pipelines[e.Pipeline])
			}
			e.Refs = slices.Clone(e.Refs)
			for j := range e.Refs {
				if personal[e.Pipeline][e.Refs[j].Type] {
					e.Refs[j].Value = mask.Hidden
				}
			}
		}
		out[i] = e
	}
	return out, nil
}

var fieldName = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// personalRefs are the names below trace_by whose cells read a personal field.
func personalRefs(p *compile.Pipeline) map[string]bool {
	out := map[string]bool{}
	if p == nil || p.Accept == nil {
		return out
	}
	fields := mask.New(p.Accept.Schema.Shape()).Fields()
	for _, t := range p.Spec.TraceBy {
		for _, name := range fieldName.FindAllString(t.Value.Source(), -1) {
			if fields[name] {
				out[t.Key.Text] = true
			}
		}
	}
	return out
}

// reveals reports whether the personal data in payloads is asked for, and
// whether who asks may see it.
func (a *API) reveals(c *call) (bool, error) {
	if c.URL.Query().Get("reveal") != "true" {
		return false, nil
	}
	if !c.who.Reveal {
		err := problemf(http.StatusForbidden, "%s may not see the personal data in payloads", c.who.Name)
		a.turnedAway(c, "denied", err)
		return false, err
	}
	return true, a.revealed(c)
}

// mostLooked is how many entries of the history are looked at for one answer, so
// that it comes soon however few of them are wanted.
const mostLooked = 100_000

// HistoryPage is one page of the history, newest first. Where few entries are
// wanted it may hold fewer than were asked for, or none, and go on all the same.
type HistoryPage struct {
	Entries []queue.Entry `json:"entries"`
	Next    string        `json:"next,omitempty"` // "" = this was the last page
}

func (a *API) history(r *call) (any, error) {
	q := r.URL.Query()
	page, err := a.engine.Driver().Browse(r.Context(), queue.Query{View: queue.Recent, Pipeline: q.Get("pipeline"), Prefix: flow.NamesOf(q.Get("client")),
		Kind: queue.Kind(q.Get("kind")), Limit: limit(r), Look: mostLooked, After: q.Get("after")})
	if err != nil {
		return nil, err
	}
	entries, err := a.entries(r, page.Entries)
	return HistoryPage{append([]queue.Entry{}, entries...), page.Next}, err
}
