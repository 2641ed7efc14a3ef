package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// Errors of maintenance by hand that a caller may branch on.
var (
	ErrNoConnection  = errors.New("there is no such connection")
	ErrNoMaintenance = errors.New("there is no maintenance by hand")
)

// manualAfter is how long the end of maintenance by hand is kept, so that what
// it held goes out at the rate of the connection.
const manualAfter = 48 * time.Hour

func maintenanceKey(connection string) string { return "maintenance/" + connection }

// StartMaintenance closes a connection for a while, on all replicas. The choice
// is kept in the store and survives restarts. One that is under way is replaced.
func (e *Engine) StartMaintenance(ctx context.Context, connection string, m policy.Manual) error {
	guard := e.guardOf(connection)
	if guard == nil {
		return ErrNoConnection
	}
	if err := e.keepMaintenance(ctx, connection, m); err != nil {
		return err
	}
	guard.Calendar().SetManual(m)
	return nil
}

// StopMaintenance opens a connection again and calls the messages that waited.
func (e *Engine) StopMaintenance(ctx context.Context, connection string) error {
	guard := e.guardOf(connection)
	if guard == nil {
		return ErrNoConnection
	}
	now := time.Now()
	m := guard.Calendar().Manual()
	if !now.Before(m.Until) {
		return ErrNoMaintenance
	}
	m.Until = now
	if err := e.keepMaintenance(ctx, connection, m); err != nil {
		return err
	}
	guard.Calendar().SetManual(m)
	return e.worker.CallHeld(ctx, connection)
}

// keepMaintenance writes what all replicas are to know.
func (e *Engine) keepMaintenance(ctx context.Context, connection string, m policy.Manual) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("keep the maintenance: %w", err)
	}
	_, err = e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{
		{Key: maintenanceKey(connection), Version: queue.AnyVersion, Value: data, TTL: time.Until(m.Until) + manualAfter},
		{Key: pauseTopic, Version: queue.AnyVersion, Value: []byte(connection)},
	}})
	if err != nil {
		return fmt.Errorf("keep the maintenance: %w", err)
	}
	return nil
}

// restoreMaintenance takes up the maintenance by hand that the store remembers.
func (e *Engine) restoreMaintenance(ctx context.Context, r *revision) error {
	var names, keys []string
	for name := range r.sinks {
		names, keys = append(names, name), append(keys, maintenanceKey(name))
	}
	if len(keys) == 0 {
		return nil
	}
	values, err := e.driver.Get(ctx, keys...)
	if err != nil {
		return fmt.Errorf("read the maintenance by hand: %w", err)
	}
	for i, v := range values {
		var m policy.Manual
		if v.Version > 0 {
			if err := json.Unmarshal(v.Data, &m); err != nil {
				return fmt.Errorf("read the maintenance of %s: %w", names[i], err)
			}
		}
		calendar, now := r.sinks[names[i]].guard.Calendar(), time.Now()
		ended := now.Before(calendar.Manual().Until) && !now.Before(m.Until)
		calendar.SetManual(m)
		if !ended {
			continue
		}
		// Another replica ended it: what this one parked meanwhile is called.
		if err := e.worker.CallHeld(ctx, names[i]); err != nil {
			return fmt.Errorf("call what waited for %s: %w", names[i], err)
		}
	}
	return nil
}

func (e *Engine) guardOf(connection string) *policy.Guard {
	e.status.Lock()
	defer e.status.Unlock()
	if s := e.current.sinks[connection]; s != nil {
		return s.guard
	}
	return nil
}

// Connections tells of every connection what is known of the other system.
func (e *Engine) Connections(lanes []queue.LaneStat) []policy.Shown {
	e.status.Lock()
	sinks := e.current.sinks
	e.status.Unlock()
	now := time.Now()
	out := make([]policy.Shown, 0, len(sinks))
	for _, s := range sinks {
		out = append(out, s.guard.Show(now, lanes))
	}
	slices.SortFunc(out, func(a, b policy.Shown) int { return strings.Compare(a.Name, b.Name) })
	return out
}
