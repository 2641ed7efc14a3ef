package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

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
	f, err := filter(r.URL.Query())
	if err != nil {
		return nil, err
	}
	letters, next, err := a.box.List(r.Context(), deadletter.Query{Filter: f, After: r.URL.Query().Get("after"), Limit: limit(r)})
	return DeadPage{letters, next}, err
}

func (a *API) deadGroups(r *call) (any, error) {
	f, err := filter(r.URL.Query())
	if err != nil {
		return nil, err
	}
	by := r.URL.Query().Get("by")
	if by == "" {
		by = "cause"
	}
	groups, err := a.box.Groups(r.Context(), f, by)
	return groups, refused(err)
}

func (a *API) deadBoxes(r *call) (any, error) { return a.box.Boxes(r.Context()) }

// filter reads which dead letters are meant.
func filter(q url.Values) (deadletter.Filter, error) {
	f := deadletter.Filter{Box: q.Get("box"), Client: q.Get("client"), Pipeline: q.Get("pipeline"), Group: q.Get("group"), Target: q.Get("target"), Field: q.Get("field")}
	for name, at := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return f, problemf(http.StatusBadRequest, "%s is not a time such as 2026-11-23T17:00:00Z", name)
		}
		*at = t
	}
	return f, nil
}

// deadOutlook says what a replay would do.
func (a *API) deadOutlook(r *call) (any, error) {
	reveal, err := a.reveals(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	o, err := a.box.Outlook(r.Context(), r.PathValue("id"), deadletter.How{Who: r.who.Name, Force: q.Get("force") == "true"}, reveal)
	return o, refused(err)
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
	Force   bool            `json:"force,omitempty"` // replay what the other side may have forgotten
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
	return done, refused(a.box.Replay(r.Context(), r.PathValue("id"), deadletter.How{Who: c.Who, Reason: c.Reason, Force: c.Force}))
}

func (a *API) deadDiscard(r *call) (any, error) {
	c, err := r.change()
	if err != nil {
		return nil, err
	}
	return done, a.box.Discard(r.Context(), r.PathValue("id"), c.Who, c.Reason)
}

// deadCompare says what an edit would change.
func (a *API) deadCompare(r *call) (any, error) {
	reveal, err := a.reveals(r)
	if err != nil {
		return nil, err
	}
	_, payload, err := r.edit()
	if err != nil {
		return nil, err
	}
	out, err := a.box.Compare(r.Context(), r.PathValue("id"), payload, reveal)
	return out, refused(err)
}

// edit reads a change with a new payload.
func (c *call) edit() (Change, any, error) {
	in, err := c.change()
	if err != nil {
		return in, nil, err
	}
	payload, err := message.Decode(in.Payload, message.Limits{})
	if err != nil {
		return in, nil, problemf(http.StatusUnprocessableEntity, "the new payload is not JSON: %s", err)
	}
	return in, payload, nil
}

func (a *API) deadEdit(r *call) (any, error) {
	c, payload, err := r.edit()
	if err != nil {
		return nil, err
	}
	if before, err := a.box.Show(r.Context(), r.PathValue("id"), true); err == nil {
		r.before = digestOf(message.Marshal(before.Payload))
	}
	r.after = digestOf(message.Marshal(payload))
	return done, refused(a.box.Edit(r.Context(), r.PathValue("id"), payload, c.Who, c.Reason))
}

var done = map[string]string{"status": "done"}

// refused gives what a person can mend its status.
func refused(err error) error {
	var r *deadletter.Refusal
	switch {
	case errors.As(err, &r):
		return problemf(http.StatusUnprocessableEntity, "%s", r)
	case errors.Is(err, deadletter.ErrNoChange):
		return problemf(http.StatusNotFound, "%s", err)
	case errors.Is(err, deadletter.ErrState):
		return problemf(http.StatusConflict, "%s", err)
	}
	return err
}
