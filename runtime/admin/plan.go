package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// mostMessages bounds how many messages of a pipeline one plan runs.
const mostMessages = 1000

// Planning is the body of a request for a plan.
type Planning struct {
	Pack     []byte        `json:"pack"` // see publication.Pack
	Name     string        `json:"name"` // of the definitions, as people call them
	Against  int           `json:"against,omitempty"`
	Base     []byte        `json:"base,omitempty"` // compare with this pack instead of what runs
	BaseName string        `json:"base_name,omitempty"`
	Messages int           `json:"messages"`
	Waivers  []plan.Waiver `json:"waivers,omitempty"`
	Reveal   bool          `json:"reveal,omitempty"` // show personal data, too
}

// PlanAnswer is a plan, or why there is none.
type PlanAnswer struct {
	Plan     *plan.Plan        `json:"plan,omitempty"`
	Refused  string            `json:"refused,omitempty"`
	Findings []runtime.Finding `json:"findings,omitempty"`
}

// Applying is the body of a request to bring a plan to life.
type Applying struct {
	Who      string     `json:"who"`
	Note     string     `json:"note,omitempty"`
	Pack     []byte     `json:"pack"`
	Messages int        `json:"messages"`
	Plan     *plan.Plan `json:"plan"`
	Folder   bool       `json:"folder,omitempty"` // reload the folder of the replica instead of publishing
}

func (a *API) plan(r *call) (any, error) {
	var in Planning
	if err := r.read(&in); err != nil {
		return nil, err
	}
	how, err := planning(in)
	if err != nil {
		return nil, err
	}
	// Definitions that somebody else wrote decide what is made of a payload,
	// so what they make of it is shown only to who may see it, or could send it
	// anywhere.
	how.Reveal = plan.Hidden
	if r.who.Reveal || r.who.Role >= access.Editor {
		how.Reveal = plan.Masked
	}
	if in.Reveal {
		if !r.who.Reveal {
			err := problemf(http.StatusForbidden, "%s may not see the personal data in payloads", r.who.Name)
			a.turnedAway(r, "denied", err)
			return nil, err
		}
		if err := a.revealed(r); err != nil {
			return nil, err
		}
		how.Reveal = plan.Shown
	}
	a.planning.Lock()
	defer a.planning.Unlock()
	p, err := a.engine.Plan(r.Context(), how)
	if err == nil {
		r.before, r.after = p.Old.Revision, p.Hash
	}
	return planned(p, err)
}

func planning(in Planning) (runtime.Planning, error) {
	if in.Messages < 0 || in.Messages > mostMessages {
		return runtime.Planning{}, problemf(http.StatusUnprocessableEntity, "a plan looks at 0 to %d messages of a pipeline", mostMessages)
	}
	pack, err := publication.Open(in.Pack)
	if err != nil {
		return runtime.Planning{}, problemf(http.StatusUnprocessableEntity, "%s", err)
	}
	how := runtime.Planning{Pack: pack, Name: in.Name, Against: in.Against, BaseName: in.BaseName, Messages: in.Messages, Waivers: in.Waivers}
	if len(in.Base) > 0 {
		if how.Base, err = publication.Open(in.Base); err != nil {
			return runtime.Planning{}, problemf(http.StatusUnprocessableEntity, "%s", err)
		}
	}
	return how, nil
}

func planned(p *plan.Plan, err error) (any, error) {
	var refused *runtime.Refused
	switch {
	case errors.As(err, &refused):
		return PlanAnswer{Refused: refused.Reason, Findings: runtime.Findings(refused.Findings)}, nil
	case errors.Is(err, publication.ErrUnknown), errors.Is(err, publication.ErrGone):
		return nil, problemf(http.StatusNotFound, "%s; `crossdock history` lists those that can be compared with", err)
	case err != nil:
		return nil, err
	}
	return PlanAnswer{Plan: p}, nil
}

func (a *API) apply(r *call) (any, error) {
	var in Applying
	if err := r.read(&in); err != nil {
		return nil, err
	}
	in.Who = r.actor(in.Who)
	if in.Plan == nil || in.Who == "" {
		return nil, problemf(http.StatusUnprocessableEntity, "say who applies which plan")
	}
	how, err := planning(Planning{Pack: in.Pack, Name: in.Plan.New.Name, Messages: in.Messages})
	if err != nil {
		return nil, err
	}
	r.before, r.after = in.Plan.Old.Revision, in.Plan.New.Revision
	entry := publication.Entry{Who: in.Who, Note: in.Note, Plan: in.Plan.Hash}
	for _, w := range in.Plan.Waivers {
		entry.Waived = append(entry.Waived, w.Field+": "+w.Reason)
	}
	r.why = fmt.Sprintf("plan %s", in.Plan.Hash)
	if len(entry.Waived) > 0 {
		r.why += "; waived " + strings.Join(entry.Waived, "; ")
	}
	if err := a.named(r, "applies a plan"); err != nil {
		return nil, err
	}
	a.planning.Lock()
	defer a.planning.Unlock()
	entry, report, err := a.engine.Apply(context.WithoutCancel(r.Context()), how, in.Plan, entry, in.Folder)
	if entry.Approved != "" {
		r.why += "; approved by " + entry.Approved
	}
	var moved *runtime.ErrMoved
	switch {
	case errors.As(err, &moved):
		return nil, problemf(http.StatusConflict, "%s", moved)
	case err == nil && in.Folder:
		return PublishAnswer{Here: &report, Findings: runtime.Findings(report.Findings)}, nil
	}
	return published(entry, report, err)
}
