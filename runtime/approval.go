package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/queue"
)

// approvalFor is how long an approval may be used. That of somebody who signed in
// counts for a day: nobody tells when a person has left the identity provider.
const (
	approvalFor = 7 * 24 * time.Hour
	signedInFor = 24 * time.Hour
)

// Approval is the word of somebody that a plan may go live.
type Approval struct {
	Plan   string      `json:"plan"` // its hash
	Who    string      `json:"who"`
	Role   access.Role `json:"role"`
	Via    string      `json:"via,omitempty"`   // how who gave it was recognised
	Token  string      `json:"token,omitempty"` // the ID of the token it was given with
	Reason string      `json:"reason,omitempty"`
	At     time.Time   `json:"at"`
}

// ErrNotApprover says that somebody's word does not count here. Its text is for
// people.
var ErrNotApprover = errors.New("this environment asks for nobody's approval")

// Approver is who has to approve what goes live, a role or a name; "" = nobody.
func (e *Engine) Approver() string {
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

// by reports whether somebody gave the approval. Names that differ in capitals
// are those of one person, who may have a token and sign in as well.
func (a *Approval) by(who string) bool { return strings.EqualFold(a.Who, who) }

func approvalKey(hash string) string { return "approval/" + hash }

// approvals reads who has approved a plan.
func (e *Engine) approvals(ctx context.Context, hash string) (list []Approval, version int64, err error) {
	values, err := e.driver.Get(ctx, approvalKey(hash))
	if err != nil {
		return nil, 0, fmt.Errorf("read the approvals: %w", err)
	}
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &list); err != nil {
			return nil, 0, fmt.Errorf("read the approvals: %w", err)
		}
	}
	return list, values[0].Version, nil
}

// Approve keeps an approval beside those of others. The error is ErrNotApprover,
// wrapped, where the word of who gives it does not count.
func (e *Engine) Approve(ctx context.Context, a Approval) error {
	asked := e.Approver()
	if asked == "" {
		return ErrNotApprover
	}
	if !a.fits(asked) {
		return fmt.Errorf("%w but that of %s", ErrNotApprover, asked)
	}
	for {
		list, version, err := e.approvals(ctx, a.Plan)
		if err != nil {
			return err
		}
		list = append(slices.DeleteFunc(list, func(o Approval) bool { return o.by(a.Who) }), a)
		raw, err := json.Marshal(list)
		if err != nil {
			return fmt.Errorf("write the approval: %w", err)
		}
		_, err = e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: approvalKey(a.Plan), Version: version, Value: raw, TTL: approvalFor}}})
		if errors.Is(err, queue.ErrVersion) {
			continue // somebody else approved it meanwhile
		}
		if err != nil {
			return fmt.Errorf("write the approval: %w", err)
		}
		return nil
	}
}

// approved says who has approved a plan that somebody wants to apply, "" where
// nobody has to. It refuses what nobody else has approved.
func (e *Engine) approved(ctx context.Context, hash, who string) (string, error) {
	asked := e.Approver()
	if asked == "" {
		return "", nil
	}
	list, _, err := e.approvals(ctx, hash)
	if err != nil {
		return "", err
	}
	own, void := false, ""
	for _, a := range list {
		if a.Plan != hash || !a.fits(asked) {
			continue
		}
		if a.by(who) {
			own = true
			continue
		}
		why, err := e.lapsed(ctx, &a, asked, time.Now())
		if err != nil {
			return "", err
		}
		if why == "" {
			return a.Who, nil
		}
		void = fmt.Sprintf("the approval of %s counts no more: %s; ", a.Who, why)
	}
	if own && void == "" {
		return "", &Refused{Reason: "who approves a plan does not apply it: somebody else has to"}
	}
	return "", &Refused{Reason: fmt.Sprintf("%s%s has to approve the plan first: crossdock approve %s", void, asked, hash)}
}

// lapsed says why an approval that once counted does so no more, "" where it
// does: who gave it has to have what was asked for still when it is used.
func (e *Engine) lapsed(ctx context.Context, a *Approval, asked string, now time.Time) (string, error) {
	var holder access.Identity
	var err error
	switch a.Via {
	case access.ViaToken:
		holder, err = access.NewTokens(e.driver).Holder(ctx, a.Token, now)
		if errors.Is(err, access.ErrUnknown) {
			return "the token it was given with was revoked or is over", nil
		}
	case access.ViaSignIn:
		if now.Sub(a.At) >= signedInFor {
			return "it was given by somebody who signed in, more than a day ago", nil
		}
		holder.Name = a.Who
		holder.Role, err = access.NewPeople(e.driver).Role(ctx, a.Who)
	default:
		return "it does not say how who gave it was recognised", nil
	}
	if err != nil {
		return "", fmt.Errorf("look who approved: %w", err)
	}
	still := Approval{Who: holder.Name, Role: holder.Role}
	if holder.Role == access.Nobody || !still.fits(asked) {
		return "who gave it has another role now", nil
	}
	return "", nil
}

// byPlanOnly refuses what goes live without a plan where plans are approved.
func (e *Engine) byPlanOnly() error {
	asked := e.Approver()
	if asked == "" {
		return nil
	}
	return &Refused{Reason: notWithoutPlan(asked)}
}

// notWithoutPlan says what to type where somebody has to approve.
func notWithoutPlan(asked string) string {
	return fmt.Sprintf("what goes live here is approved by %s: `crossdock plan DIR --out plan.json`, then `crossdock approve plan.json` by %s, then `crossdock apply DIR --plan plan.json` by somebody else",
		asked, asked)
}
