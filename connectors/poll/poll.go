// Package poll asks for changes again and again and takes in what it finds.
//
// A round reads all pages of a list. The cursor, the highest value of all
// items, moves only after every page of the round is durable in the queue; a
// round that fails is repeated from the same cursor, and what was taken in
// before is recognised by the key of the pipeline. A list that is longer than
// one round may read goes on where it stopped, with the cursor unmoved.
package poll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// Config says what to ask and what to remember.
type Config struct {
	Name     string // of the pipeline
	Every    time.Duration
	MaxPages int // read in one round; 100
	Batch    int // items handed over together; 256

	// Call asks for one page. with holds the cursor under CursorName and, where
	// the other side counts pages or gives tokens, the next one under "page";
	// page is the address of the next page where it gives one. An answer that
	// is no success is an error.
	Call  func(ctx context.Context, with map[string]any, page string) (connectors.Response, error)
	Items func(connectors.Response) ([]any, error) // nil: the body, if it is a list
	Next  func(connectors.Response) (any, error)   // nil: there is one page
	// Pageless says that nothing of the operation takes the number or token of a
	// page: only addresses lead on.
	Pageless bool

	Save       func(item any) (any, error) // value of an item for the cursor; nil: no cursor
	CursorName string
	Start      any
	Overlap    time.Duration // how far a cursor that is a time steps back
	Keyed      bool          // the pipeline knows a repeated item by its key

	State connectors.State
	Log   *slog.Logger
}

// New returns the source for a list.
func New(c Config) (connectors.Source, error) {
	switch {
	case c.Call == nil:
		return nil, errors.New("there is nothing to ask")
	case c.Every <= 0:
		return nil, errors.New("`every` must be longer than nothing")
	case c.Save != nil && (c.State == nil || c.CursorName == ""):
		return nil, errors.New("a cursor needs a name and a place to be remembered")
	}
	if c.MaxPages <= 0 {
		c.MaxPages = 100
	}
	if c.Batch <= 0 {
		c.Batch = 256
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("pipeline", c.Name)
	return &source{Config: c}, nil
}

type source struct {
	Config
	at    place
	stuck int // failures in a row at the page where a round goes on
	known known
}

// giveUp is after how many failures a remembered page is taken for one that
// the other side does not know any more.
const giveUp = 3

// place is what is remembered between two rounds.
type place struct {
	Cursor any `json:"cursor,omitempty"` // all up to it is taken in
	// Took is how long the round took that moved the cursor: what was written
	// during it, and behind a page that was read already, lies so much before it.
	Took time.Duration `json:"took,omitempty"`
	// Of a round that has not come to its end:
	Began   time.Time `json:"began,omitzero"`
	Page    any       `json:"page,omitempty"`    // where it goes on
	Highest any       `json:"highest,omitempty"` // the cursor to be
}

// length is how long a round took that began then, in whole seconds: mostly 0.
func length(began time.Time) time.Duration {
	took := time.Since(began)
	if took < time.Second {
		return 0
	}
	return took.Truncate(time.Second) + time.Second
}

// Run implements connectors.Source.
func (s *source) Run(ctx context.Context, out connectors.Channel) error {
	if err := s.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	failures := 0
	for {
		began := time.Now()
		more, err := s.round(ctx, out)
		if ctx.Err() != nil {
			return nil
		}
		wait := s.Every - time.Since(began)
		switch {
		case err != nil && s.paused(err):
			_, asked := connectors.ClassOf(err)
			failures, wait = 0, min(asked, time.Hour)
			s.Log.Info("the list goes on after a pause", "reason", err.Error(), "next", wait)
		case err != nil:
			failures++
			wait = s.backoff(failures, err)
			s.Log.Error("asking for changes failed", "failures", failures, "reason", err.Error(), "next", wait)
		case more:
			failures, wait = 0, 0
		default:
			failures = 0
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// paused reports whether a round is held up in the middle of a list, by a limit of
// the connection or by a pause that the other side asked for: it goes on there.
func (s *source) paused(err error) bool {
	class, _ := connectors.ClassOf(err)
	return class == connectors.ClassAfter && s.at.Page != nil
}

// backoff doubles the pause, up to ten minutes or what is usual, and keeps to
// what the other side asked for.
func (s *source) backoff(failures int, err error) time.Duration {
	limit := max(s.Every, 10*time.Minute)
	wait := min(s.Every, limit)
	for range min(failures-1, 20) {
		wait = min(2*wait, limit)
	}
	if class, asked := connectors.ClassOf(err); class == connectors.ClassAfter {
		wait = max(wait, min(asked, time.Hour))
	}
	return wait
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *source) key() string { return "poll/" + s.Name }

func (s *source) load(ctx context.Context) error {
	if s.State == nil {
		return nil
	}
	s.at, s.known = place{}, known{} // another replica may have come further since the last Run
	raw, err := s.State.Load(ctx, s.key())
	if err != nil {
		return fmt.Errorf("look up the cursor: %w", err)
	}
	if raw == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&s.at); err != nil {
		return fmt.Errorf("what is remembered as cursor cannot be read: %w", err)
	}
	return nil
}

func (s *source) remember(ctx context.Context, p place) error {
	if s.State != nil && p != s.at {
		raw, err := json.Marshal(p)
		if err == nil {
			err = s.State.Save(ctx, s.key(), raw)
		}
		if err != nil {
			return fmt.Errorf("remember the cursor: %w", err)
		}
	}
	s.at = p
	return nil
}

// round reads pages up to the end of the list or the limit. more says that
// there are further pages.
func (s *source) round(ctx context.Context, out connectors.Channel) (more bool, err error) {
	now := s.at
	resumed := now.Page != nil
	if now.Began.IsZero() { // a new one, or that of a build that did not remember it
		now.Began = time.Now().UTC().Truncate(time.Millisecond)
	}
	for range s.MaxPages {
		resp, err := s.ask(ctx, now.Page)
		if err != nil {
			if class, _ := connectors.ClassOf(err); class == connectors.ClassAfter && now.Page != nil {
				// Beginning anew would never come to the end of a list that is longer
				// than what may be asked at once.
				return false, errors.Join(err, s.remember(ctx, now))
			}
			if !resumed || now.Page != s.at.Page {
				return false, err
			}
			if s.stuck++; s.stuck >= giveUp {
				s.stuck, now.Page, now.Highest, now.Began = 0, nil, nil, time.Time{} // begin anew from the cursor
				return false, errors.Join(err, s.remember(ctx, now))
			}
			return false, err
		}
		s.stuck = 0
		items, err := s.items(resp)
		if err != nil {
			return false, err
		}
		if err := s.hand(ctx, items, out); err != nil {
			return false, err
		}
		if now.Highest, err = s.highest(now.Highest, items); err != nil {
			return false, err
		}
		next, err := s.next(resp)
		if err != nil {
			return false, err
		}
		if next == nil {
			s.known.turn()
			if now.Highest != nil && (now.Cursor == nil || Compare(now.Highest, now.Cursor) > 0) {
				now.Cursor, now.Took = now.Highest, length(now.Began)
			}
			now.Page, now.Highest, now.Began = nil, nil, time.Time{}
			return false, s.remember(ctx, now)
		}
		if text, _ := next.(string); s.Pageless && !isAddress(text) {
			return false, fmt.Errorf("`next` of the operation gives `%v` for the next page, but nothing takes it: write {page?} where it belongs, in the path or the query", next)
		}
		if next == now.Page {
			return false, fmt.Errorf("the list says that the page behind `%v` is that page again", next)
		}
		now.Page = next
	}
	s.Log.Info("the list is longer than one round reads, and goes on", "pages", s.MaxPages)
	return true, s.remember(ctx, now)
}

// ask calls for one page. page is an address, or a number or token for the
// placeholder {page}.
func (s *source) ask(ctx context.Context, page any) (connectors.Response, error) {
	with := map[string]any{}
	if s.Save != nil {
		with[s.CursorName] = s.Start
		if s.at.Cursor != nil {
			back := s.Overlap
			if back > 0 {
				back += s.at.Took
			}
			with[s.CursorName] = StepBack(s.at.Cursor, back)
		}
	}
	address := ""
	if text, ok := page.(string); ok && isAddress(text) {
		address = text
	} else if page != nil {
		with["page"] = page
	}
	return s.Call(ctx, with, address)
}

func isAddress(text string) bool {
	for _, start := range []string{"https://", "http://", "/", "?"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

func (s *source) items(resp connectors.Response) ([]any, error) {
	if resp.Cut {
		return nil, errors.New("the answer is larger than the response limit of the connection; ask for smaller pages or raise `limits.response`")
	}
	if s.Items != nil {
		return s.Items(resp)
	}
	switch body := resp.Body.(type) {
	case []any:
		return body, nil
	case nil:
		return nil, nil
	}
	return nil, errors.New("the answer is no list; say with `items:` of the operation where its items are")
}

func (s *source) next(resp connectors.Response) (any, error) {
	if s.Next == nil {
		return nil, nil
	}
	v, err := s.Next(resp)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil, bool:
		return nil, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return v, nil
	case json.Number:
		return v, nil
	}
	if text, ok := connectors.ScalarText(v); ok {
		return json.Number(text), nil
	}
	return nil, errors.New("`next` of the operation gives neither an address nor a number or token")
}

// hand puts the items into the queue.
func (s *source) hand(ctx context.Context, items []any, out connectors.Channel) error {
	for part := range slices.Chunk(items, s.Batch) {
		batch := make([]message.Message, 0, len(part))
		for _, item := range part {
			raw := message.Marshal(item)
			if s.Keyed && s.Overlap > 0 && s.known.repeats(raw) {
				continue
			}
			batch = append(batch, message.Message{Raw: raw, Meta: message.Meta{Source: "poll", ReceivedAt: time.Now()}})
		}
		if len(batch) == 0 {
			continue
		}
		if err := s.send(ctx, batch, out); err != nil {
			return err
		}
		if s.Keyed && s.Overlap > 0 {
			for i := range batch {
				s.known.add(batch[i].Raw)
			}
		}
	}
	return nil
}

func (s *source) send(ctx context.Context, batch []message.Message, out connectors.Channel) error {
	_, err := out.Send(ctx, batch...)
	var refused *connectors.Rejection
	if !errors.As(err, &refused) {
		return err
	}
	if len(batch) == 1 {
		s.Log.Error("item refused", "reason", refused.Error())
		return nil
	}
	for i := range batch {
		if err := s.send(ctx, batch[i:i+1], out); err != nil {
			return err
		}
	}
	return nil
}

// highest returns the highest cursor value of the items and of so far.
func (s *source) highest(so any, items []any) (any, error) {
	if s.Save == nil {
		return nil, nil
	}
	for _, item := range items {
		v, err := s.Save(item)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, errors.New("an item has no value for the cursor; make `save` give one for every item")
		}
		text, ok := connectors.ScalarText(v)
		if !ok {
			return nil, errors.New("`save` gives an object or list; a cursor is a time, number or text")
		}
		if _, isText := v.(string); !isText {
			v = json.Number(text)
		}
		if so == nil || Compare(v, so) > 0 {
			so = v
		}
	}
	return so, nil
}
