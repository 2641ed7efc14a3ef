package admin

import (
	"context"
	"errors"
	"net/http"

	"crossdock/runtime"
	"crossdock/runtime/publication"
)

// Publishing is the body of a request that publishes files.
type Publishing struct {
	Who  string `json:"who"`
	Note string `json:"note,omitempty"`
	Pack []byte `json:"pack"` // see publication.Pack
}

// Rollback is the body of a request that publishes an earlier revision again.
type Rollback struct {
	Who    string `json:"who"`
	Note   string `json:"note,omitempty"`
	Number int    `json:"number,omitempty"` // 0 = the one before
	Folder bool   `json:"folder,omitempty"` // run the folders of the replicas again
}

// PublishAnswer tells what was published, and how the switch came out on the
// replica that was asked.
type PublishAnswer struct {
	Entry    *publication.Entry `json:"entry,omitempty"` // nil: nothing was published
	Here     *runtime.Report    `json:"here,omitempty"`
	Refused  string             `json:"refused,omitempty"`
	Findings []runtime.Finding  `json:"findings,omitempty"`
}

func (a *API) revisions(r *call) (any, error) { return a.engine.Revisions(r.Context()) }

func (a *API) publish(r *call) (any, error) {
	var in Publishing
	if err := r.read(&in); err != nil {
		return nil, err
	}
	in.Who = r.actor(in.Who)
	if in.Who == "" {
		return nil, problemf(http.StatusUnprocessableEntity, "say who publishes")
	}
	r.before, r.after = a.engine.Worker().Live().WS.Revision, digestOf(in.Pack)
	pack, err := publication.Open(in.Pack)
	if err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "%s", err)
	}
	// A publication is seen through even when the client goes away.
	entry, report, err := a.engine.Publish(context.WithoutCancel(r.Context()), pack, publication.Entry{Who: in.Who, Note: in.Note})
	return published(entry, report, err)
}

func (a *API) rollback(r *call) (any, error) {
	var in Rollback
	if err := r.read(&in); err != nil {
		return nil, err
	}
	in.Who = r.actor(in.Who)
	if in.Who == "" {
		return nil, problemf(http.StatusUnprocessableEntity, "say who rolls back")
	}
	ctx := context.WithoutCancel(r.Context())
	if in.Folder {
		report, err := a.engine.Withdraw(ctx, in.Who)
		if errors.Is(err, publication.ErrNone) {
			return nil, problemf(http.StatusUnprocessableEntity, "nothing is published: every replica runs its folder already")
		}
		var refused *runtime.Refused
		if errors.As(err, &refused) {
			return PublishAnswer{Refused: refused.Reason}, nil
		}
		return PublishAnswer{Here: &report, Findings: runtime.Findings(report.Findings)}, err
	}
	entry, report, err := a.engine.Rollback(ctx, in.Number, in.Who, in.Note)
	return published(entry, report, err)
}

func published(entry publication.Entry, report runtime.Report, err error) (any, error) {
	var refused *runtime.Refused
	switch {
	case errors.As(err, &refused):
		return PublishAnswer{Refused: refused.Reason, Findings: runtime.Findings(refused.Findings)}, nil
	case errors.Is(err, publication.ErrUnknown), errors.Is(err, publication.ErrGone):
		return nil, problemf(http.StatusNotFound, "%s; `crossdock history` lists those that can be rolled back to", err)
	case err != nil:
		return nil, err
	}
	return PublishAnswer{Entry: &entry, Here: &report, Findings: runtime.Findings(report.Findings)}, nil
}
