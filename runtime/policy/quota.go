package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"crossdock/runtime/queue"
)

// Store is the part of a queue.Driver that shared counts are kept in.
type Store interface {
	Get(ctx context.Context, keys ...string) ([]queue.Value, error)
	Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error)
}

// Period is a length of time of the calendar.
type Period string

// The periods of quotas.
const (
	Hour  Period = "hour"
	Day   Period = "day"
	Month Period = "month"
)

// Bounds returns the period around now, as the calendar of a place has it.
func (p Period) Bounds(now time.Time, zone *time.Location) (begin, end time.Time) {
	local := now.In(zone)
	y, m, d := local.Date()
	switch p {
	case Month:
		return time.Date(y, m, 1, 0, 0, 0, 0, zone), time.Date(y, m+1, 1, 0, 0, 0, 0, zone)
	case Hour:
		// Hours are real ones, so that the one that comes twice is two.
		begin = local.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
		return begin, begin.Add(time.Hour)
	}
	return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

// used is what the store keeps.
type used struct {
	Begin time.Time `json:"begin"`
	Used  int       `json:"used"`
}

// Quota counts calls in a period, in the store, over restarts and replicas. It
// takes small amounts in advance, so that not every call is a write; what a
// process took and did not use when it dies is lost to that period.
type Quota struct {
	store   Store
	key     string
	n       int
	open    int // what everybody may use; the rest is for critical work
	period  Period
	zone    *time.Location
	advance int

	turn  chan struct{} // one place: who holds it may ask the store, and the rest is theirs
	begin time.Time     // of the period that the advance is for
	end   time.Time
	left  int // of the advance, for everybody
	kept  int // of the advance, for critical work
	total int // as last seen in the store
}

// NewQuota counts n calls in each period under a name, the last reserve percent
// of them for critical work only.
func NewQuota(store Store, name string, n int, period Period, zone *time.Location, reserve int) *Quota {
	return &Quota{store: store, key: "quota/" + name, n: n, open: n - n*reserve/100, period: period, zone: zone,
		advance: min(max(n/1000, 1), 100), turn: make(chan struct{}, 1)}
}

// Take counts one call. Where the quota is spent it returns when the next
// period begins.
func (q *Quota) Take(ctx context.Context, now time.Time, p queue.Priority) (spent time.Time, err error) {
	select {
	case q.turn <- struct{}{}:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	defer q.release()
	if !now.Before(q.end) || now.Before(q.begin) {
		q.begin, q.end = q.period.Bounds(now, q.zone)
		q.left, q.kept, q.total = 0, 0, 0
	}
	for range 100 { // each time it fails another process has got its share
		switch {
		case q.left > 0:
			q.left--
			return time.Time{}, nil
		case p == queue.Critical && q.kept > 0:
			q.kept--
			return time.Time{}, nil
		}
		again, err := q.refill(ctx, now, p)
		if err != nil {
			return time.Time{}, err
		}
		if !again {
			return q.end, nil
		}
	}
	return time.Time{}, errors.New("the count of the quota changes all the time")
}

// refill takes an advance from the store and reports whether it is worth to try
// again.
func (q *Quota) refill(ctx context.Context, now time.Time, p queue.Priority) (again bool, err error) {
	if p != queue.Critical && q.total >= q.open || q.total >= q.n {
		return false, nil // nobody gives back, so this stays true until the period ends
	}
	values, err := q.store.Get(ctx, q.key)
	if err != nil {
		return false, fmt.Errorf("read the count of the quota: %w", err)
	}
	var u used
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &u); err != nil {
			return false, fmt.Errorf("read the count of the quota: %w", err)
		}
	}
	if !u.Begin.Equal(q.begin) {
		u = used{Begin: q.begin}
	}
	q.total = u.Used
	most, reserved := q.open, false
	if p == queue.Critical && u.Used >= q.open {
		most, reserved = q.n, true
	}
	n := min(q.advance, most-u.Used)
	if n <= 0 {
		return false, nil
	}
	u.Used += n
	data, err := json.Marshal(u)
	if err != nil {
		return false, err
	}
	_, err = q.store.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: q.key, Version: values[0].Version, Value: data, TTL: q.end.Sub(now) + 48*time.Hour}}})
	switch {
	case errors.Is(err, queue.ErrVersion):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("count the quota: %w", err)
	case reserved:
		q.kept += n
	default:
		q.left += n
	}
	q.total = u.Used
	return true, nil
}

func (q *Quota) release() { <-q.turn }

// Return gives back a call that was counted and not made.
func (q *Quota) Return() {
	q.turn <- struct{}{}
	q.left++
	q.release()
}

// Used returns how much of the period is used as far as this process knows, and
// how much there is.
func (q *Quota) Used() (n, of int) {
	q.turn <- struct{}{}
	defer q.release()
	return max(q.total-q.left-q.kept, 0), q.n
}

// each is the period as it is said behind a number of calls.
func (p Period) each() string {
	if p == Hour {
		return "an hour"
	}
	return "a " + string(p)
}
