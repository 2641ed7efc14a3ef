package admin

import (
	"net/http"

	"crossdock/runtime/queue"
	"crossdock/runtime/recording"
)

// record records messages for tests. Who wants fields as they are, although they
// are personal, must be allowed to see them.
func (a *API) record(r *call) (any, error) {
	q := r.URL.Query()
	w := recording.Wanted{ID: q.Get("id"), Ref: queue.Ref{Type: q.Get("ref"), Value: q.Get("value")}, Pipeline: q.Get("pipeline"), Keep: q["keep"]}
	if w.ID == "" && w.Ref.Value == "" {
		return nil, problemf(http.StatusUnprocessableEntity, "say which message: id, or value with ref")
	}
	if len(w.Keep) > 0 {
		if !r.who.Reveal {
			err := problemf(http.StatusForbidden, "%s may not see the personal data in payloads", r.who.Name)
			a.turnedAway(r, "denied", err)
			return nil, err
		}
		if err := a.revealed(r); err != nil {
			return nil, err
		}
	}
	return a.engine.Record(r.Context(), w)
}
