package admin

import (
	"context"
	"time"

	"crossdock/runtime/flow"
	"crossdock/runtime/queue"
)

// Standing is where a message that is not done stands now.
type Standing struct {
	Message  string      `json:"message"`
	Pipeline string      `json:"pipeline"`
	Lane     string      `json:"lane"`
	State    queue.State `json:"state"`
	Since    time.Time   `json:"since"` // when it came into the lane; of a dead letter when it died
	// Due is when it is looked at again at the latest; zero where that is not a
	// question of time.
	Due      time.Time `json:"due,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	Reason   string    `json:"reason,omitempty"` // what keeps it, or what it died of
	Box      string    `json:"box,omitempty"`
	Paused   bool      `json:"paused,omitempty"`
	Behind   string    `json:"behind,omitempty"` // the message with the same order_by that goes first
}

// traceNow says of all messages with a business reference, or of one message,
// where those stand that are not done.
func (a *API) traceNow(r *call) (any, error) {
	page, err := a.engine.Driver().Browse(r.Context(), storyOf(r))
	if err != nil {
		return nil, err
	}
	out := []Standing{}
	seen := map[string]bool{}
	heads := mostBehind
	for _, e := range page.Entries {
		if seen[e.Message] || e.Kind == queue.Rejected {
			continue
		}
		seen[e.Message] = true
		s, err := a.standing(r.Context(), e, &heads)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, *s)
		}
	}
	return out, nil
}

// standing looks for the job of a message; nil where it is done. heads is how
// many more may be asked behind whom they stand.
func (a *API) standing(ctx context.Context, e queue.Entry, heads *int) (*Standing, error) {
	page, err := a.engine.Driver().Browse(ctx, queue.Query{View: queue.ByID, ID: e.Message})
	if err != nil || len(page.Jobs) == 0 {
		return nil, err
	}
	j := page.Jobs[0]
	s := &Standing{Message: j.ID, Pipeline: e.Pipeline, Lane: j.Lane, State: j.State, Since: j.Enqueued, Attempts: j.Attempts, Reason: j.Reason}
	switch j.State {
	case queue.DeadJob:
		s.Since, s.Box = j.DeadAt, j.Box
	case queue.Delayed, queue.Parked:
		s.Due = j.Due
	case queue.Ready:
		s.Reason = "" // of an earlier stop
		s.Paused = j.Lane == "in/"+e.Pipeline && a.engine.Worker().Paused(e.Pipeline)
		if !s.Paused && j.Key != "" && *heads > 0 {
			*heads--
			s.Behind, err = a.head(ctx, j)
		}
	}
	return s, err
}

const (
	mostHeads  = 5000 // messages that are looked at for the one that goes first
	mostBehind = 20   // messages of one answer for which that is done
)

// head finds the message at the head of the key of j, "" where that is j itself
// or not seen. Only the head of a key is under way, waits for a time or is parked.
func (a *API) head(ctx context.Context, j queue.JobInfo) (string, error) {
	for _, state := range []queue.State{queue.Leased, queue.Delayed, queue.Parked} {
		q := queue.Query{View: queue.Jobs, Lane: j.Lane, State: state, Limit: 1000}
		for range mostHeads / q.Limit {
			page, err := a.engine.Driver().Browse(ctx, q)
			if err != nil {
				return "", err
			}
			for _, other := range page.Jobs {
				if other.Key == j.Key && other.ID != j.ID {
					return other.ID, nil
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	return "", nil
}

// storyOf is what a request for the story of messages asks of the store.
func storyOf(r *call) queue.Query {
	q := r.URL.Query()
	query := queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: q.Get("ref"), Value: q.Get("value")}, Prefix: flow.NamesOf(q.Get("client")), Limit: 10000}
	if id := q.Get("id"); id != "" {
		query.View, query.ID = queue.ByMsg, id
	}
	return query
}
