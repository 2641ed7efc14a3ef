package admin

import (
	"strconv"

	"crossdock/runtime/deadletter"
)

// Begin is the body of a request that begins a change of many dead letters: what
// a preview answered, and the word that confirms it.
type Begin struct {
	Wanted  deadletter.Wanted `json:"wanted"`
	Confirm string            `json:"confirm"`
	Reason  string            `json:"reason,omitempty"` // for the audit log; that of Wanted counts
}

func (a *API) changes(r *call) (any, error) { return a.box.Changes(r.Context()) }

func (a *API) changeShow(r *call) (any, error) {
	c, err := a.box.Change(r.Context(), r.PathValue("id"))
	return c, refused(err)
}

// changePreview says what a change would do, without doing it.
func (a *API) changePreview(r *call) (any, error) {
	q := r.URL.Query()
	f, err := filter(q)
	if err != nil {
		return nil, err
	}
	w := deadletter.Wanted{What: q.Get("what"), Filter: f, Who: r.actor(q.Get("who")), Reason: q.Get("reason"), Set: q["set"], Force: q.Get("force") == "true"}
	if text := q.Get("rate"); text != "" {
		if w.Rate, err = strconv.ParseFloat(text, 64); err != nil {
			return nil, problemf(400, "the rate is a number of letters a second")
		}
	}
	reveal, err := a.reveals(r)
	if err != nil {
		return nil, err
	}
	p, err := a.box.Preview(r.Context(), w, reveal)
	return p, refused(err)
}

func (a *API) changeReplay(r *call) (any, error)  { return a.begin(r, deadletter.ToReplay) }
func (a *API) changeDiscard(r *call) (any, error) { return a.begin(r, deadletter.ToDiscard) }
func (a *API) changeFix(r *call) (any, error)     { return a.begin(r, deadletter.ToFix) }

func (a *API) begin(r *call, what string) (any, error) {
	var in Begin
	if err := r.read(&in); err != nil {
		return nil, err
	}
	in.Wanted.What, in.Wanted.Who = what, r.actor(in.Wanted.Who)
	c, err := a.box.Begin(r.Context(), in.Wanted, in.Confirm)
	r.after = c.ID
	return c, refused(err)
}

func (a *API) changeStop(r *call) (any, error) {
	in, err := r.change()
	if err != nil {
		return nil, err
	}
	c, err := a.box.Stop(r.Context(), r.PathValue("id"), in.Who)
	return c, refused(err)
}

func (a *API) changeResume(r *call) (any, error) {
	in, err := r.change()
	if err != nil {
		return nil, err
	}
	c, err := a.box.Resume(r.Context(), r.PathValue("id"), in.Who)
	return c, refused(err)
}
