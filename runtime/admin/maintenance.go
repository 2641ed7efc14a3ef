package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/flow"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// longestMaintenance bounds maintenance by hand, so that one that was forgotten
// ends.
const longestMaintenance = 14 * 24 * time.Hour

// Maintenance is the body of a request that closes a connection, or opens it.
type Maintenance struct {
	Who     string   `json:"who"`
	Reason  string   `json:"reason,omitempty"`
	Seconds int64    `json:"seconds,omitempty"` // how long it lasts
	Let     []string `json:"let,omitempty"`     // priorities that are tried all the same
}

var priorities = []string{"critical", "high", "normal", "low"}

func (a *API) connections(r *call) (any, error) {
	page, err := a.engine.Driver().Browse(r.Context(), queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return nil, err
	}
	client := r.URL.Query().Get("client")
	all := a.engine.Connections(page.Lanes)
	return slices.DeleteFunc(all, func(c policy.Shown) bool { return !flow.OfClient(c.Name, client) }), nil
}

// maintenance reads what is wanted, and who wants it.
func (a *API) maintenance(r *call) (Maintenance, error) {
	var in Maintenance
	if err := r.read(&in); err != nil {
		return in, err
	}
	in.Who = r.actor(in.Who)
	if in.Who == "" {
		return in, problemf(http.StatusUnprocessableEntity, "say who does it")
	}
	return in, nil
}

func (a *API) maintenanceStart(r *call) (any, error) {
	in, err := a.maintenance(r)
	if err != nil {
		return nil, err
	}
	lasts := time.Duration(in.Seconds) * time.Second
	if in.Seconds <= 0 || in.Seconds > int64(longestMaintenance/time.Second) {
		return nil, problemf(http.StatusUnprocessableEntity, "maintenance lasts from a second to 14 days")
	}
	now := time.Now()
	m := policy.Manual{From: now, Until: now.Add(lasts), Who: in.Who, Reason: in.Reason}
	for _, word := range in.Let {
		p := slices.Index(priorities, word)
		if p < 0 {
			return nil, problemf(http.StatusUnprocessableEntity, "there is no priority %s; there are critical, high, normal, low", word)
		}
		m.Let[p] = true
	}
	if err := a.engine.StartMaintenance(r.Context(), r.PathValue("name"), m); err != nil {
		return nil, maintenanceProblem(r, err)
	}
	return m, nil
}

func (a *API) maintenanceStop(r *call) (any, error) {
	if _, err := a.maintenance(r); err != nil {
		return nil, err
	}
	// What waited is called even when the client goes away.
	if err := a.engine.StopMaintenance(context.WithoutCancel(r.Context()), r.PathValue("name")); err != nil {
		return nil, maintenanceProblem(r, err)
	}
	return done, nil
}

func maintenanceProblem(r *call, err error) error {
	switch {
	case errors.Is(err, runtime.ErrNoConnection):
		return problemf(http.StatusNotFound, "there is no connection %s", r.PathValue("name"))
	case errors.Is(err, runtime.ErrNoMaintenance):
		return problemf(http.StatusConflict, "%s has no maintenance that was started by hand", r.PathValue("name"))
	}
	return err
}
