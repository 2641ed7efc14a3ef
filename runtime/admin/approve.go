package admin

import (
	"errors"
	"net/http"
	"regexp"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/access"
)

// Approving is the body of a request that approves a plan.
type Approving struct {
	Who    string `json:"who"`
	Plan   string `json:"plan"` // its hash
	Reason string `json:"reason,omitempty"`
}

// named refuses the token in the state folder where two people are needed: whoever
// has it can give any name.
func (a *API) named(r *call, does string) error {
	if a.engine.Approver() == "" || r.who.Via != access.ViaLocal {
		return nil
	}
	return problemf(http.StatusForbidden, "the token in the state folder does not say who %s: make one for each person with `crossdock token create`, and give it with --token or CROSSDOCK_TOKEN", does)
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
	if err := a.named(r, "approves a plan"); err != nil {
		return nil, err
	}
	err := a.engine.Approve(r.Context(), runtime.Approval{Plan: in.Plan, Who: in.Who, Role: r.who.Role, Via: r.who.Via, Token: r.who.Token, Reason: in.Reason, At: time.Now().UTC()})
	if errors.Is(err, runtime.ErrNotApprover) {
		return nil, problemf(http.StatusForbidden, "%s", err)
	}
	return done, err
}
