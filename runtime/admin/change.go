package admin

import (
	"context"
	"errors"
	"net/http"

	"crossdock/runtime"
)

// ReloadAnswer tells how a reload came out.
type ReloadAnswer struct {
	runtime.Report
	Findings []runtime.Finding `json:"findings,omitempty"`
}

func (a *API) reload(r *call) (any, error) {
	if _, err := r.change(); err != nil {
		return nil, err
	}
	// The reload is finished even when the client goes away.
	r.before = a.engine.Worker().Live().WS.Revision
	report := a.engine.Reload(context.WithoutCancel(r.Context()))
	r.after = report.Revision
	return ReloadAnswer{report, runtime.Findings(report.Findings)}, nil
}

func (a *API) pause(r *call) (any, error)  { return a.switchTo(r, true) }
func (a *API) resume(r *call) (any, error) { return a.switchTo(r, false) }

func (a *API) switchTo(r *call, paused bool) (any, error) {
	if _, err := r.change(); err != nil {
		return nil, err
	}
	if err := a.engine.Pause(r.Context(), r.PathValue("name"), paused); err != nil {
		if errors.Is(err, runtime.ErrNoPipeline) {
			return nil, problemf(http.StatusNotFound, "there is no pipeline %s", r.PathValue("name"))
		}
		return nil, err
	}
	return done, nil
}
