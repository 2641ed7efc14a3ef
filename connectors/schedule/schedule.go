// Package schedule starts runs at points in time.
//
// Each run is a message whose body tells the time it stands for:
// {"scheduled_at": "2026-03-27T02:30:00+01:00", "zone": "Europe/Berlin"}. Its
// message ID follows from that time, so that a run that is sent twice is one
// run. How far the schedule has come is remembered only
// after its run is durable: a crash or a store that is away delays runs and
// never loses one, apart from those that `missed` leaves out.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// Config says when to run.
type Config struct {
	Name   string // of the pipeline
	Cron   string
	Zone   string
	Missed string // run_once ("" too), run_all or skip
	State  connectors.State
	Log    *slog.Logger
}

// maxMissed bounds run_all: of more missed runs, the latest are made up for.
const maxMissed = 1000

// tooLate is how long after its time a run counts as missed.
const tooLate = time.Minute

// New returns the source for a schedule.
func New(c Config) (connectors.Source, error) {
	cron, err := Parse(c.Cron, c.Zone)
	if err != nil {
		return nil, err
	}
	switch c.Missed {
	case "", "run_once", "run_all", "skip":
	default:
		return nil, fmt.Errorf("`missed` cannot be `%s`; use run_once, run_all or skip", c.Missed)
	}
	if c.State == nil {
		return nil, errors.New("a schedule needs a place to remember its last run")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("pipeline", c.Name)
	return &source{Config: c, cron: cron}, nil
}

type source struct {
	Config
	cron *Cron
	last time.Time
}

// Run implements connectors.Source.
func (s *source) Run(ctx context.Context, out connectors.Channel) error {
	if err := s.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for {
		next := s.cron.Next(s.last)
		if next.IsZero() {
			return fmt.Errorf("the schedule `%s` never comes", s.Cron)
		}
		if !sleepUntil(ctx, next) {
			return nil
		}
		if err := s.catchUp(ctx, out, next); err != nil {
			return nil // only the end of ctx keeps a run from being sent
		}
	}
}

func (s *source) key() string { return "schedule/" + s.Name }

// memory is what is remembered between two lives of a schedule.
type memory struct {
	Cron string    `json:"cron"`
	Zone string    `json:"zone"`
	Last time.Time `json:"last"`
}

// load finds out when the last run was. A schedule that is new, or whose times
// were changed, begins now.
func (s *source) load(ctx context.Context) error {
	raw, err := s.State.Load(ctx, s.key())
	if err != nil {
		return fmt.Errorf("look up the last run: %w", err)
	}
	now := time.Now()
	if raw != nil {
		var m memory
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("what is remembered about the last run cannot be read: %w", err)
		}
		switch {
		case m.Cron != s.cron.text || m.Zone != s.cron.zone.String():
			s.Log.Info("the schedule was changed; it begins now", "before", m.Cron, "zone", m.Zone)
		case m.Last.After(now.Add(24 * time.Hour)):
			s.Log.Warn("the last run lies in the future; the schedule begins now", "last", m.Last)
		default:
			s.last = m.Last
			return nil
		}
	}
	s.last = now
	return s.save(ctx, now)
}

func (s *source) save(ctx context.Context, t time.Time) error {
	raw, err := json.Marshal(memory{s.cron.text, s.cron.zone.String(), t.UTC()})
	if err == nil {
		err = s.State.Save(ctx, s.key(), raw)
	}
	if err != nil {
		return fmt.Errorf("remember the last run: %w", err)
	}
	return nil
}

// catchUp sends the run at next and, where time has gone on without it, the
// ones that were missed.
func (s *source) catchUp(ctx context.Context, out connectors.Channel, next time.Time) error {
	now := time.Now()
	due := []time.Time{next}
	dropped := 0
	for t := s.cron.Next(next); !t.IsZero() && !t.After(now); t = s.cron.Next(t) {
		if due = append(due, t); len(due) > maxMissed {
			due, dropped = due[1:], dropped+1
		}
	}
	latest := due[len(due)-1]
	if missed := now.Sub(next) > tooLate; missed {
		switch s.Missed {
		case "skip":
			for len(due) > 0 && now.Sub(due[0]) > tooLate {
				due, dropped = due[1:], dropped+1
			}
		case "run_all":
		default:
			dropped += len(due) - 1
			due = due[len(due)-1:]
		}
	}
	if dropped > 0 {
		s.Log.Warn("missed runs are left out", "runs", dropped, "until", latest)
	}
	for _, t := range due {
		if err := s.send(ctx, out, t); err != nil {
			return err
		}
	}
	s.last = latest
	return s.again(ctx, func() error { return s.save(ctx, latest) })
}

func (s *source) send(ctx context.Context, out connectors.Channel, at time.Time) error {
	at = at.In(s.cron.zone)
	m := message.Message{
		ID:   connectors.StableID(at, "schedule", s.Name),
		Raw:  fmt.Appendf(nil, `{"scheduled_at":"%s","zone":"%s"}`, at.Format(time.RFC3339), s.cron.zone),
		Meta: message.Meta{Source: "schedule", ReceivedAt: time.Now()},
	}
	return s.again(ctx, func() error {
		_, err := out.Send(ctx, m)
		var refused *connectors.Rejection
		if errors.As(err, &refused) {
			s.Log.Error("run refused", "scheduled_at", at, "reason", refused.Error())
			return nil // it would be refused for ever
		}
		return err
	})
}

// again tries something until it works. Its error is that of ctx.
func (s *source) again(ctx context.Context, try func() error) error {
	wait := 200 * time.Millisecond
	for {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Log.Error("run not stored, tried again", "reason", err.Error(), "in", wait)
		if !sleepUntil(ctx, time.Now().Add(wait)) {
			return ctx.Err()
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// sleepUntil waits for a time of the wall clock, whatever is done to that
// clock meanwhile; false where ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	for {
		wait := time.Until(at.Round(0))
		if wait <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(min(wait, 30*time.Second))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}
