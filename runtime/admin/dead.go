package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"crossdock/runtime/access"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/message"
)

// DeadPage is one page of dead letters.
type DeadPage struct {
	Letters []deadletter.Letter `json:"letters"`
	Next    string              `json:"next,omitempty"`
}

func (a *API) deadList(r *call) (any, error) {
	q := r.URL.Query()
	letters, next, err := a.box.List(r.Context(), deadletter.Query{Box: q.Get("box"), Pipeline: q.Get("pipeline"), Group: q.Get("group"), After: q.Get("after"), Limit: limit(r)})
	return DeadPage{letters, next}, err
}

func (a *API) deadShow(r *call) (any, error) {
	reveal, err := a.reveals(r)
	if err != nil {
		return nil, err
	}
	return a.box.Show(r.Context(), r.PathValue("id"), reveal)
}

// Change is the body of requests that change a dead letter.
type Change struct {
	Who     string          `json:"who"`
	Reason  string          `json:"reason"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// change reads what is wanted, and who wants it.
func (c *call) change() (Change, error) {
	var out Change
	if err := c.read(&out); err != nil {
		return out, err
	}
	out.Who = c.actor(out.Who)
	return out, nil
}

// actor is who makes a change: somebody with a name of their own cannot give
// another one.
func (c *call) actor(claim string) string {
	if c.who.Via != access.ViaLocal {
		return c.who.Name
	}
	return claim
}

func (a *API) deadReplay(r *call) (any, error) {
	c, err := r.change()
	if err != nil {
		return nil, err
	}
	return done, refused(a.box.Replay(r.Context(), r.PathValue("id"), c.Who))
}

func (a *API) deadDiscard(r *call) (any, error) {
	c, err := r.change()
	if err != nil {
		return nil, err
	}
	return done, a.box.Discard(r.Context(), r.PathValue("id"), c.Who, c.Reason)
}

func (a *API) deadEdit(r *call) (any, error) {
	c, err := r.change()
	if err != nil {
		return nil, err
	}
	payload, err := message.Decode(c.Payload, message.Limits{})
	if err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "the new payload is not JSON: %s", err)
	}
	if before, err := a.box.Show(r.Context(), r.PathValue("id"), true); err == nil {
		r.before = digestOf(message.Marshal(before.Payload))
	}
	r.after = digestOf(message.Marshal(payload))
	return done, refused(a.box.Edit(r.Context(), r.PathValue("id"), payload, c.Who, c.Reason))
}

var done = map[string]string{"status": "done"}

// refused makes what a person can mend a 422.
func refused(err error) error {
	var r *deadletter.Refusal
	if errors.As(err, &r) {
		return problemf(http.StatusUnprocessableEntity, "%s", r)
	}
	return err
}
