package poll_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/poll"
	"crossdock/runtime/message"
)

// erp is a list of changes in pages of two.
type erp struct {
	items []map[string]any
	asked []string
	fail  func(n int) error // of the n-th call, from 1
}

func (e *erp) call(_ context.Context, with map[string]any, page string) (connectors.Response, error) {
	asked, err := json.Marshal(with)
	if err != nil {
		return connectors.Response{}, err
	}
	e.asked = append(e.asked, string(asked)+page)
	if e.fail != nil {
		if err := e.fail(len(e.asked)); err != nil {
			return connectors.Response{}, err
		}
	}
	since, _ := with["since"].(string)
	from := 0
	if page != "" {
		fmt.Sscanf(page, "/changes?skip=%d", &from)
	}
	var match []any
	for _, item := range e.items {
		if item["at"].(string) >= since {
			match = append(match, item)
		}
	}
	body := map[string]any{"value": match[min(from, len(match)):min(from+2, len(match))]}
	if from+2 < len(match) {
		body["next"] = fmt.Sprintf("/changes?skip=%d", from+2)
	}
	return connectors.Response{Status: 200, Body: body}, nil
}

func (e *erp) config(state *connectortest.State) poll.Config {
	return poll.Config{
		Name: "p", Every: time.Minute, State: state, Call: e.call,
		Items:      func(r connectors.Response) ([]any, error) { return r.Body.(map[string]any)["value"].([]any), nil },
		Next:       func(r connectors.Response) (any, error) { return r.Body.(map[string]any)["next"], nil },
		Save:       func(item any) (any, error) { return item.(map[string]any)["at"], nil },
		CursorName: "since", Start: "2026-01-01T00:00:00Z",
	}
}

func (e *erp) add(n int) {
	for range n {
		i := len(e.items)
		e.items = append(e.items, map[string]any{"id": json.Number(fmt.Sprint(i)), "at": time.Date(2026, 1, 2, 0, i, 0, 0, time.UTC).Format(time.RFC3339)})
	}
}

func run(t *testing.T, c poll.Config, q connectors.Channel, d time.Duration) {
	t.Helper()
	s, err := poll.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx, q); err != nil {
		t.Fatal(err)
	}
}

func ids(q *connectortest.Queue) []string {
	var all []string
	for _, raw := range q.Raws() {
		var v struct{ ID json.Number }
		if err := json.Unmarshal([]byte(raw), &v); err != nil {
			all = append(all, err.Error())
		}
		all = append(all, v.ID.String())
	}
	return all
}

func TestPagesAndCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(5)
		run(t, e.config(state), q, 30*time.Second)
		if want := []string{"0", "1", "2", "3", "4"}; !reflect.DeepEqual(ids(q), want) {
			t.Errorf("items %v", ids(q))
		}
		start := `{"since":"2026-01-01T00:00:00Z"}`
		if want := []string{start, start + "/changes?skip=2", start + "/changes?skip=4"}; !reflect.DeepEqual(e.asked, want) {
			t.Errorf("asked %v", e.asked)
		}
		// The cursor is the highest value, and is remembered over a restart.
		e.asked = nil
		e.add(1)
		c := e.config(state)
		c.Overlap = 90 * time.Second
		run(t, c, q, 30*time.Second)
		if want := []string{`{"since":"2026-01-02T00:02:30Z"}`, `{"since":"2026-01-02T00:02:30Z"}/changes?skip=2`}; !reflect.DeepEqual(e.asked, want) {
			t.Errorf("asked %v", e.asked)
		}
		m := q.Taken()[0]
		if m.Meta.Source != "poll" || m.Meta.ReceivedAt.IsZero() {
			t.Errorf("meta %+v", m.Meta)
		}
	})
}

// TestCursorMovesLast: neither a page that fails nor a store that is away lets
// the cursor move.
func TestCursorMovesLast(t *testing.T) {
	spoil := map[string]func(*erp, *connectortest.Queue){
		"third page fails": func(e *erp, _ *connectortest.Queue) {
			e.fail = func(n int) error {
				if n == 3 {
					return errors.New("503")
				}
				return nil
			}
		},
		"store away for the third page": func(_ *erp, q *connectortest.Queue) {
			calls := 0
			q.Judge = func([]message.Message) error {
				if calls++; calls == 3 {
					return errors.New("store down")
				}
				return nil
			}
		},
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
				e.add(5)
				spoil(e, q)
				run(t, e.config(state), q, 30*time.Second)
				if keys := state.Keys(); len(keys) != 0 {
					t.Fatalf("remembered %v", keys)
				}
				run(t, e.config(state), q, 30*time.Second)
				if got := ids(q); len(got) != 9 || got[8] != "4" {
					t.Errorf("items %v", got)
				}
				if keys := state.Keys(); len(keys) != 1 {
					t.Errorf("remembered %v", keys)
				}
			})
		})
	}
}

func TestLongLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(20)
		c := e.config(state)
		c.MaxPages = 3
		run(t, c, q, 30*time.Second) // goes on at once, without waiting for `every`
		if got := ids(q); len(got) != 20 || got[19] != "19" {
			t.Errorf("items %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// A crash between two rounds goes on at the page, from the same cursor.
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(20)
		c := e.config(state)
		c.MaxPages = 3
		e.fail = func(n int) error {
			if n == 5 {
				return errors.New("down")
			}
			return nil
		}
		run(t, c, q, time.Second)
		e.asked = nil
		e.fail = nil
		run(t, c, q, time.Second)
		if e.asked[0] != `{"since":"2026-01-01T00:00:00Z"}/changes?skip=6` {
			t.Errorf("asked first %s", e.asked[0])
		}
		if got := ids(q); got[len(got)-1] != "19" || len(got) != 22 {
			t.Errorf("items %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// A page that is not known any more is given up for the cursor.
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(20)
		c := e.config(state)
		c.MaxPages = 3
		e.fail = func(n int) error {
			if n > 3 && strings.Contains(e.asked[n-1], "skip=6") && n < 8 {
				return errors.New("410 gone")
			}
			return nil
		}
		run(t, c, q, time.Hour)
		if got := ids(q); got[len(got)-1] != "19" {
			t.Errorf("items %v, asked %v", got, e.asked)
		}
	})
}

// TestTokenThatNothingTakes is said at once, and the first page is not read for ever.
func TestTokenThatNothingTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q := &erp{}, &connectortest.Queue{}
		e.add(2)
		var log bytes.Buffer
		c := e.config(connectortest.NewState())
		c.Pageless, c.Log = true, slog.New(slog.NewTextHandler(&log, nil))
		c.Next = func(connectors.Response) (any, error) { return "t0k=", nil }
		run(t, c, q, time.Second)
		if len(e.asked) != 1 || !strings.Contains(log.String(), "write {page?}") {
			t.Errorf("asked %v, said %s", e.asked, log.String())
		}
		// Addresses lead on.
		e.asked = nil
		e.add(2)
		c = e.config(connectortest.NewState())
		c.Pageless = true
		run(t, c, q, time.Second)
		if len(e.asked) != 2 {
			t.Errorf("asked %v", e.asked)
		}
	})
}

// TestLimitsInTheMiddleOfAList goes on at the page that a limit kept from being
// asked, also when that is so at each page, and does not ask for the first ones again.
func TestLimitsInTheMiddleOfAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(12)
		began, last := time.Now(), time.Time{}
		e.fail = func(int) error {
			if since := time.Since(last); since < 20*time.Second { // one call in 20 seconds
				return connectors.After(20*time.Second-since, errors.New("the rate is reached"))
			}
			last = time.Now()
			return nil
		}
		c := e.config(state)
		c.Every = time.Hour
		run(t, c, q, 30*time.Minute)
		if got := ids(q); len(got) != 12 || got[11] != "11" {
			t.Errorf("items %v, asked %v", got, e.asked)
		}
		if took := last.Sub(began); took != 100*time.Second {
			t.Errorf("six pages took %s", took)
		}
		// The next round begins at the cursor.
		e.fail, e.asked = nil, nil
		run(t, c, q, time.Second)
		if e.asked[0] != `{"since":"2026-01-02T00:11:00Z"}` {
			t.Errorf("asked first %s", e.asked[0])
		}
	})
}

func TestTokensAndLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []any
		c := poll.Config{Name: "p", Every: time.Hour,
			Call: func(_ context.Context, with map[string]any, page string) (connectors.Response, error) {
				asked = append(asked, with["page"])
				return connectors.Response{Body: []any{"x"}}, nil
			},
			Next: func(connectors.Response) (any, error) {
				return []any{json.Number("2"), "t0k=", nil, "t0k="}[len(asked)-1], nil
			}}
		q := &connectortest.Queue{}
		run(t, c, q, time.Minute)
		if want := []any{nil, json.Number("2"), "t0k="}; !reflect.DeepEqual(asked, want) || len(q.Taken()) != 3 {
			t.Errorf("asked %v", asked)
		}
		loops := 0
		c.Next = func(connectors.Response) (any, error) { loops++; return "same", nil }
		run(t, c, q, time.Minute)
		if loops != 2 {
			t.Errorf("a list without end was asked %d times", loops)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		c := poll.Config{Name: "p", Every: time.Minute, Call: func(context.Context, map[string]any, string) (connectors.Response, error) {
			at = append(at, time.Since(began).Round(time.Second))
			if len(at) == 5 {
				return connectors.Response{}, connectors.After(20*time.Minute, errors.New("429"))
			}
			return connectors.Response{}, errors.New("503")
		}}
		run(t, c, &connectortest.Queue{}, 50*time.Minute)
		m := time.Minute
		if want := []time.Duration{0, 1 * m, 3 * m, 7 * m, 15 * m, 35 * m, 45 * m}; !reflect.DeepEqual(at, want) {
			t.Errorf("asked at %v, want %v", at, want)
		}
	})
}

func TestRefusedItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, state := &erp{}, connectortest.NewState()
		e.add(4)
		q := &connectortest.Queue{Judge: func(m []message.Message) error {
			for _, one := range m {
				if strings.Contains(string(one.Raw), `"id":2`) {
					return &connectors.Rejection{Status: 422, Message: "no"}
				}
			}
			return nil
		}}
		run(t, e.config(state), q, time.Second)
		if want := []string{"0", "1", "3"}; !reflect.DeepEqual(ids(q), want) {
			t.Errorf("items %v", ids(q))
		}
		if len(state.Keys()) != 1 {
			t.Error("one refused item holds up the list")
		}
	})
}

func TestCompareAndStepBack(t *testing.T) {
	for _, tt := range []struct {
		a, b any
		want int
	}{
		{"2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z", -1},
		{"2026-01-01T10:00:00.10Z", "2026-01-01T10:00:00.1Z", 0},
		{"2026-01-01T10:00:00", "2026-01-01T09:59:59.999", 1},
		{json.Number("10"), json.Number("9"), 1},
		{"10", "9", 1},
		{json.Number("12345678901234567891"), json.Number("12345678901234567890"), 1},
		{"a10", "a9", -1},
		{json.Number("1.0"), "1", 0},
		{"1e999999999", "2", -1}, // too large to be read as a number: text
	} {
		if got := poll.Compare(tt.a, tt.b); got != tt.want {
			t.Errorf("Compare(%v, %v) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
	for _, tt := range []struct{ in, want any }{
		{"2026-01-01T00:02:00Z", "2026-01-01T00:00:30Z"},
		{"2026-01-01T00:02:00.120+02:00", "2026-01-01T00:00:30.120+02:00"},
		{"2026-01-01T00:02:00.1200", "2026-01-01T00:00:30.1200"},
		{"2026-01-01 00:02:00", "2026-01-01 00:00:30"},
		{"2026-01-01", "2025-12-31"},
		{"abc", "abc"}, {json.Number("7"), json.Number("7")}, {nil, nil},
	} {
		if got := poll.StepBack(tt.in, 90*time.Second); got != tt.want {
			t.Errorf("StepBack(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestOverlapIsNotHandedOverAgain: what an overlap reads again is left out
// where a key would recognise it, but changed items are not, and nothing that
// the store has not taken.
func TestOverlapIsNotHandedOverAgain(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			e, q := &erp{}, &connectortest.Queue{}
			e.add(3)
			rounds, refuse := 0, true
			q.Judge = func([]message.Message) error {
				if refuse {
					return errors.New("store down")
				}
				return nil
			}
			c := e.config(connectortest.NewState())
			c.Overlap, c.Keyed = time.Hour, keyed
			ask := c.Call
			c.Call = func(ctx context.Context, with map[string]any, page string) (connectors.Response, error) {
				if page == "" {
					switch rounds++; rounds {
					case 2:
						refuse = false
					case 4:
						e.items[1]["note"] = "changed"
					}
				}
				return ask(ctx, with, page)
			}
			run(t, c, q, 4*time.Minute+30*time.Second)
			if rounds != 5 {
				t.Fatalf("%d rounds", rounds)
			}
			want := 3 + 1
			if !keyed {
				want = 4 * 3
			}
			if n := len(q.Taken()); n != want {
				t.Errorf("keyed %v: %d items were handed over, want %d", keyed, n, want)
			}
		})
	}
}

// TestALongRoundMissesNothing: a change that is written into the part of a list
// that was read already, while the round goes on for longer than the overlap, is
// found by the next one.
func TestALongRoundMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(5)
		late := map[string]any{"id": json.Number("99"), "at": "2026-01-02T00:00:30Z"}
		e.fail = func(n int) error {
			if n == 2 { // its page has begun to move
				e.items = slices.Insert(e.items, 1, late)
				time.Sleep(4 * time.Minute)
			}
			return nil
		}
		c := e.config(state)
		c.Overlap, c.Keyed = time.Minute, true
		run(t, c, q, 7*time.Minute)
		if !slices.Contains(ids(q), "99") {
			t.Errorf("taken in: %v, asked %v", ids(q), e.asked)
		}
	})
}

// When a round began is not known where an older build was in the middle of it;
// then the cursor must not step back to the beginning of time.
func TestARoundOfAnOlderBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, q, state := &erp{}, &connectortest.Queue{}, connectortest.NewState()
		e.add(3)
		c := e.config(state)
		c.MaxPages, c.Overlap, c.Keyed = 1, time.Minute, true
		run(t, c, q, time.Second)
		key := state.Keys()[0]
		if err := state.Save(t.Context(), key, []byte(`{"page":"/changes?skip=2","highest":"2026-01-02T00:01:00Z"}`)); err != nil {
			t.Fatal(err)
		}
		run(t, c, q, time.Minute+time.Second)
		if want := `{"since":"2026-01-02T00:01:00Z"}`; e.asked[len(e.asked)-1] != want {
			t.Errorf("asked %v", e.asked)
		}
	})
}
