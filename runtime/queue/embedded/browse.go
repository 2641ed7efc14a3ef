package embedded

import (
	"context"
	"fmt"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/ledger"
	"crossdock/runtime/queue/schedule"
)

// Browse implements queue.Driver. It works on a store that has failed, too.
func (s *store) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	if !s.commits.enter() {
		return queue.Page{}, queue.ErrClosed
	}
	defer s.commits.leave()
	if err := ctx.Err(); err != nil {
		return queue.Page{}, err
	}
	switch q.View {
	case queue.Lanes:
		return s.browseLanes(q)
	case queue.Jobs:
		return s.browseJobs(q)
	case queue.ByID:
		return s.browseID(q)
	case queue.ByRef:
		return s.byRef(q)
	case queue.ByMsg:
		lines, err := s.family(queue.Root(q.ID))
		if err != nil {
			return queue.Page{}, err
		}
		return ledger.ByTime(lines, q)
	case queue.Recent:
		return s.recent(q)
	case queue.Counters:
		return queue.Page{Counts: s.counts.list()}, nil
	default:
		return queue.Page{}, fmt.Errorf("view %d does not exist", q.View)
	}
}

func (s *store) browseLanes(q queue.Query) (queue.Page, error) {
	oldest := map[string]schedule.Row{}
	stats := s.x.Stats(q.Lane, func(r schedule.Row) time.Time {
		oldest[r.Lane] = r
		return time.Time{}
	})
	for i := range stats {
		r, ok := oldest[stats[i].Lane]
		if !ok {
			continue
		}
		if c, err := s.job(r.Seq, r.Marks); err == nil && c != nil {
			stats[i].Oldest = time.Unix(0, c.enqueued)
		}
	}
	return queue.Page{Lanes: stats}, nil
}

func (s *store) browseJobs(q queue.Query) (queue.Page, error) {
	var p queue.Page
	from, err := ledger.After(q)
	if err != nil {
		return p, err
	}
	limit := ledger.Limit(q)
	rows := s.x.Rows(q.Lane, q.State, q.Box, from, limit+1)
	if len(rows) > limit {
		rows = rows[:limit]
		p.Next = ledger.Cursor(rows[limit-1].Seq)
	}
	for _, r := range rows {
		i, err := s.info(r, q.Bodies)
		if err != nil {
			return p, err
		}
		if i != nil {
			p.Jobs = append(p.Jobs, *i)
		}
	}
	return p, nil
}

func (s *store) browseID(q queue.Query) (queue.Page, error) {
	s.x.Lock()
	at := s.x.Find(s.x.Hash(q.ID), func(at schedule.Slot) bool { return s.idOf(at) == q.ID })
	var row schedule.Row
	if at != 0 {
		row = s.x.At(at)
	}
	s.x.Unlock()
	if at == 0 {
		return queue.Page{}, nil
	}
	i, err := s.info(row, q.Bodies)
	if err != nil || i == nil {
		return queue.Page{}, err
	}
	return queue.Page{Jobs: []queue.JobInfo{*i}}, nil
}

// info describes a job for people; nil when it has gone meanwhile. What cannot
// be read is told as the reason.
func (s *store) info(r schedule.Row, body bool) (*queue.JobInfo, error) {
	raw, err := s.kv.get(numKey(keyJob, r.Seq))
	if err != nil {
		return nil, s.reading(err)
	}
	if raw == nil {
		return nil, nil
	}
	h, err := readHeader(raw)
	if err != nil {
		return nil, s.damaged(err, fmt.Sprintf("job number %d", r.Seq))
	}
	i := &queue.JobInfo{
		ID: h.job.ID, Lane: h.job.Lane, Key: h.job.Key, State: r.State, Priority: h.job.Priority,
		Enqueued: h.enqueued, Attempts: r.Attempts, Crashes: r.Crashes,
	}
	switch r.State {
	case queue.Delayed:
		i.Due = r.Due
	case queue.Parked:
		i.Due, i.Reason = r.Due, r.Note
	case queue.DeadJob:
		i.DeadAt, i.Box = r.Due, r.Note
		if raw, err = s.kv.get(numKey(keyState, r.Seq)); err != nil {
			return nil, s.reading(err)
		}
		sd, err := readStanding(raw)
		i.Reason, i.Group = sd.reason, sd.group
		if s.damaged(err, "state of job "+h.job.ID) != nil {
			i.Reason = err.Error()
		}
	}
	if body {
		if i.Body, err = s.body(r.Seq, r.Marks, h); err != nil {
			i.Reason = err.Error()
		}
	}
	return i, nil
}
