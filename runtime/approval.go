package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/queue"
)

// approvalFor is how long an approval may be used.
const approvalFor = 7 * 24 * time.Hour

// Approval is the word of somebody that a plan may go live.
type Approval struct {
	Plan   string      `json:"plan"` // its hash
	Who    string      `json:"who"`
	Role   access.Role `json:"role"`
	Reason string      `json:"reason,omitempty"`
	At     time.Time   `json:"at"`
}

// ErrNotApprover says that somebody's word does not count here. Its text is for
// people.
var ErrNotApprover = errors.New("this environment asks for nobody's approval")

// approver is who has to approve what goes live, "" = nobody.
func (e *Engine) approver() string {
	env := e.Worker().Live().WS.Environment
	if env == nil || env.Spec == nil {
		return ""
	}
	return env.Spec.Reload.Approve.Value
}

// fits reports whether an approval is by who was asked for: a role, or a name.
func (a *Approval) fits(asked string) bool {
	if role, err := access.ParseRole(asked); err == nil {
		return a.Role >= role
	}
	return a.Who == asked
}

func approvalKey(hash string) string { return "approval/" + hash }

// Approve keeps an approval. The error is ErrNotApprover, wrapped, where the word
// of who gives it does not count.
func (e *Engine) Approve(ctx context.Context, a Approval) error {
	asked := e.approver()
	if asked == "" {
		return ErrNotApprover
	}
	if !a.fits(asked) {
		return fmt.Errorf("%w but that of %s", ErrNotApprover, asked)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write the approval: %w", err)
	}
	_, err = e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: approvalKey(a.Plan), Version: queue.AnyVersion, Value: raw, TTL: approvalFor}}})
	if err != nil {
		return fmt.Errorf("write the approval: %w", err)
	}
	return nil
}

// approved refuses a plan that nobody else than who applies it has approved.
func (e *Engine) approved(ctx context.Context, hash, who string) error {
	asked := e.approver()
	if asked == "" {
		return nil
	}
	values, err := e.driver.Get(ctx, approvalKey(hash))
	if err != nil {
		return fmt.Errorf("read the approval: %w", err)
	}
	var a Approval
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &a); err != nil {
			return fmt.Errorf("read the approval: %w", err)
		}
	}
	switch {
	case a.Plan != hash || !a.fits(asked):
		return &Refused{Reason: fmt.Sprintf("%s has to approve the plan first: crossdock approve %s", asked, hash)}
	case a.Who == who:
		return &Refused{Reason: "who approves a plan does not apply it: somebody else has to"}
	}
	return nil
}

// byPlanOnly refuses what goes live without a plan where plans are approved.
func (e *Engine) byPlanOnly() error {
	asked := e.approver()
	if asked == "" {
		return nil
	}
	return &Refused{Reason: fmt.Sprintf("what goes live here is approved by %s: use crossdock plan, approve and apply", asked)}
}
