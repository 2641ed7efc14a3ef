package admin

import (
	"errors"
	"net/http"
	"regexp"
	"time"

	"crossdock/runtime"
)

// Approving is the body of a request that approves a plan.
type Approving struct {
	Who    string `json:"who"`
	Plan   string `json:"plan"` // its hash
	Reason string `json:"reason,omitempty"`
}

var planHash = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (a *API) approve(r *call) (any, error) {
	var in Approving
	if err := r.read(&in); err != nil {
		return nil, err
	}
	in.Who = r.actor(in.Who)
	if in.Who == "" || !planHash.MatchString(in.Plan) {
		return nil, problemf(http.StatusUnprocessableEntity, "say who approves which plan, by its hash")
	}
	r.after = in.Plan
	err := a.engine.Approve(r.Context(), runtime.Approval{Plan: in.Plan, Who: in.Who, Role: r.who.Role, Reason: in.Reason, At: time.Now().UTC()})
	if errors.Is(err, runtime.ErrNotApprover) {
		return nil, problemf(http.StatusForbidden, "%s", err)
	}
	return done, err
}
