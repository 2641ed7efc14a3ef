package admin

import (
	"time"

	"crossdock/runtime"
	"crossdock/runtime/journal"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// maxBoxed is how many dead letters are looked at to sort them by box.
const maxBoxed = 1000

// Top is everything that `crossdock top` shows, at one time.
type Top struct {
	At          time.Time         `json:"at"`
	Ready       bool              `json:"ready"`
	Revision    string            `json:"revision"`
	Generation  int               `json:"generation"`
	Lanes       []Lane            `json:"lanes"`
	Connections []policy.Shown    `json:"connections"`
	Totals      journal.Totals    `json:"totals"` // of the process that was asked
	Dead        map[string]int    `json:"dead"`   // dead letters by box
	More        bool              `json:"more"`   // there are more dead letters than were counted
	Replicas    []runtime.Replica `json:"replicas,omitempty"`
}

func (a *API) top(r *call) (any, error) {
	s, err := a.engine.Status(r.Context())
	if err != nil {
		return nil, err
	}
	d := a.engine.Driver()
	page, err := d.Browse(r.Context(), queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return nil, err
	}
	t := Top{At: time.Now(), Ready: s.Ready, Revision: s.Revision, Generation: s.Generation, Replicas: s.Replicas,
		Connections: a.engine.Connections(page.Lanes), Totals: a.engine.Meter().Totals(), Dead: map[string]int{}}
	dead := 0
	for _, l := range page.Lanes {
		t.Lanes = append(t.Lanes, Lane{LaneStat: l, Note: a.engine.LaneNote(l.Lane)})
		dead += l.Dead
	}
	if dead == 0 {
		return t, nil
	}
	letters, err := d.Browse(r.Context(), queue.Query{View: queue.Jobs, State: queue.DeadJob, Limit: maxBoxed})
	if err != nil {
		return nil, err
	}
	for _, j := range letters.Jobs {
		t.Dead[j.Box]++
	}
	t.More = letters.Next != ""
	return t, nil
}
