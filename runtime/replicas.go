package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/queue"
)

// Replica is one process that works on the store, as it describes itself.
type Replica struct {
	ID         string    `json:"id"`
	Host       string    `json:"host"`
	PID        int       `json:"pid"`
	Version    string    `json:"version"`
	Revision   string    `json:"revision"`
	Published  int       `json:"published,omitempty"` // number of the publication at work; 0 = its folder
	Generation int       `json:"generation"`
	Since      time.Time `json:"since"` // when the process became ready
	Ready      bool      `json:"ready"`
	HTTP       string    `json:"http"`
	Lanes      int       `json:"lanes"`             // lanes it takes work from
	Sources    []string  `json:"sources,omitempty"` // what it alone fires: schedules, polls, folders
	Problem    string    `json:"problem,omitempty"` // why it does not run what it should

	Failing map[string]string `json:"failing,omitempty"` // sources that fail here, by pipeline, and why
	Here    bool              `json:"here,omitempty"`    // the one that was asked
}

const (
	replicaIndex  = "replicas"
	replicaPrefix = "replica/"
)

// self describes this process.
func (e *Engine) self() Replica {
	e.status.Lock()
	cur, checked, unable := e.current, e.checked, e.unable
	published := cur.published // a reload may learn that it stands for another
	e.status.Unlock()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	r := Replica{ID: e.holder.id, Host: host, PID: os.Getpid(), Version: Version, Revision: cur.ws.Revision, Published: published,
		Generation: cur.live.Generation, Since: e.since.UTC().Truncate(time.Second), Ready: e.Ready(), HTTP: e.Addr(), Lanes: e.worker.Lanes()}
	for _, key := range e.holder.holds() {
		if name, ok := strings.CutPrefix(key, "source/"); ok {
			r.Sources = append(r.Sources, name)
		}
	}
	r.Failing = e.troubles.list(time.Now(), failuresInARow)
	for name, why := range r.Failing {
		r.Failing[name] = e.hide.text(why)
	}
	if r.Problem = unable; unable == "" && checked.Result == "failed" {
		r.Problem = checked.Error
	}
	return r
}

// register tells the other replicas of this one until ctx ends. It never keeps
// the work from going on: a replica that cannot tell of itself is only not seen.
func (e *Engine) register(ctx context.Context) {
	if !e.holder.shared {
		return
	}
	defer e.unregister()
	every, told := e.holder.ttl/4, false
	for {
		err := e.beat(ctx)
		switch {
		case err == nil:
			told = false
		case ctx.Err() == nil && !told:
			told = true
			e.log.Warn("this replica cannot tell the others of itself", "error", err)
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-e.news:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// tell lets the others know at once that something changed here.
func (e *Engine) tell() {
	select {
	case e.news <- struct{}{}:
	default:
	}
}

// beat writes what this replica is, which lasts until it must have written it
// again, and makes sure that it is listed.
func (e *Engine) beat(ctx context.Context) error {
	raw, err := json.Marshal(e.self())
	if err != nil {
		return err
	}
	mine := queue.Put{Key: replicaPrefix + e.holder.id, Version: queue.AnyVersion, Value: raw, TTL: e.holder.ttl}
	for {
		ids, version, err := e.replicaIDs(ctx)
		if err != nil {
			return err
		}
		puts := []queue.Put{mine}
		if !slices.Contains(ids, e.holder.id) {
			alive, err := e.replicasOf(ctx, ids)
			if err != nil {
				return err
			}
			list := []string{e.holder.id}
			for _, r := range alive {
				list = append(list, r.ID)
			}
			slices.Sort(list)
			index, err := json.Marshal(list)
			if err != nil {
				return err
			}
			puts = append(puts, queue.Put{Key: replicaIndex, Version: version, Value: index})
		}
		_, err = e.driver.Apply(ctx, queue.Commit{Put: puts})
		if errors.Is(err, queue.ErrVersion) {
			continue // another one listed itself meanwhile
		}
		return err
	}
}

// unregister takes this replica off the list when it stops.
func (e *Engine) unregister() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err := e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: replicaPrefix + e.holder.id, Version: queue.AnyVersion}}})
	if err != nil {
		e.log.Info("this replica is listed until its time has passed", "error", err)
	}
}

func (e *Engine) replicaIDs(ctx context.Context) ([]string, int64, error) {
	values, err := e.driver.Get(ctx, replicaIndex)
	if err != nil {
		return nil, 0, err
	}
	var ids []string
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &ids); err != nil {
			return nil, 0, fmt.Errorf("the list of replicas cannot be read: %w", err)
		}
	}
	return ids, values[0].Version, nil
}

// replicasOf reads those of ids that have told of themselves lately.
func (e *Engine) replicasOf(ctx context.Context, ids []string) ([]Replica, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = replicaPrefix + id
	}
	values, err := e.driver.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var out []Replica
	for _, v := range values {
		var r Replica
		if v.Version > 0 && json.Unmarshal(v.Data, &r) == nil { // one that cannot be read is of another version
			out = append(out, r)
		}
	}
	return out, nil
}

// Replicas returns all that work on the store, by host and process. On a store of
// one process there are none to tell of.
func (e *Engine) Replicas(ctx context.Context) ([]Replica, error) {
	if !e.holder.shared {
		return nil, nil
	}
	ids, _, err := e.replicaIDs(ctx)
	if err != nil {
		return nil, err
	}
	all, err := e.replicasOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r Replica) bool { return r.ID == e.holder.id })
	me := e.self()
	me.Here = true
	all = append(all, me)
	slices.SortFunc(all, func(a, b Replica) int {
		if c := strings.Compare(a.Host, b.Host); c != 0 {
			return c
		}
		return a.PID - b.PID
	})
	return all, nil
}
