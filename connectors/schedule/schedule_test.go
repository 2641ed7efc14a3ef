package schedule_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/schedule"
	"crossdock/runtime/message"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNext(t *testing.T) {
	tests := []struct {
		name, cron, zone, from string
		want                   []string
	}{
		{"daily", "30 2 * * *", "UTC", "2026-03-28T10:00:00Z", []string{"2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"}},
		{"gap in Berlin", "30 2 * * *", "Europe/Berlin", "2026-03-28T10:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"gap in New York", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"}},
		{"several in one gap are one run", "0,15,30 2 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"repeated hour in Berlin, once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"asked between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-26T02:30:00+01:00"}},
		{"half an hour in Lord Howe", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T02:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		{"midnight gap in Santiago", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z",
			[]string{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}},
		{"a day that is left out in Samoa", "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z",
			[]string{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"}},
		{"every hour through the gap", "30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"}},
		{"every hour through the repeat", "30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"}},
		{"29 February", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		{"names", "0 6 * JAN MON-FRI", "America/Chicago", "2026-01-02T13:00:00Z", []string{"2026-01-05T06:00:00-06:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := schedule.Parse(tt.cron, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			now := at(t, tt.from)
			for _, want := range tt.want {
				if now = c.Next(now); !now.Equal(at(t, want)) {
					t.Fatalf("got %s, want %s", now.Format(time.RFC3339), want)
				}
			}
		})
	}
}

// TestNextIsSteady: runs go forward, and asking from anywhere between two runs
// gives the second.
func TestNextIsSteady(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"}
	crons := []string{"30 2 * * *", "0 0 * * *", "*/20 1-3 * * *", "15 * * * *", "0 3 * * 0", "59 23 31 12 *", "* 2 * * *"}
	rapid.Check(t, func(rt *rapid.T) {
		c, err := schedule.Parse(rapid.SampledFrom(crons).Draw(rt, "cron"), rapid.SampledFrom(zones).Draw(rt, "zone"))
		if err != nil {
			rt.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(rt, "from"), 0)
		next := c.Next(from)
		if !next.After(from) {
			rt.Fatalf("next of %s is %s", from, next)
		}
		gap := next.Sub(from)
		between := from.Add(time.Duration(rapid.Int64Range(0, int64(gap)-1).Draw(rt, "between")))
		if got := c.Next(between); !got.Equal(next) {
			rt.Fatalf("next of %s is %s, but of %s it is %s", from, next, between, got)
		}
	})
}

func TestCheck(t *testing.T) {
	now := at(t, "2026-11-01T00:00:00Z")
	tests := []struct{ cron, zone, want string }{
		{"0 6 * * 1-5", "Europe/Berlin", ""},
		{"*/15 * * * *", "Europe/Berlin", ""},
		{"0 0 31 2 *", "", "never comes"},
		{"0 0 13 * 5", "", "also on each such weekday"},
		{"30 2 * * *", "America/New_York", "on 14 March 2027 clocks in America/New_York leave 02:30 out; this run happens at 03:00 then"},
		{"30 2 * * 1-5", "America/New_York", ""}, // clocks change on Sundays
		{"TZ=", "", "`zone:"},
		{"TZ=UTC", "", "`zone:"},
		{"CRON_TZ=UTC 0 0 * * *", "", "`zone:"},
		{"TZ=0", "", "`zone:"},
		{"@daily", "", "write `0 0 * * *`"},
		{"@every 5m", "", "five fields"},
		{"@reboot", "", "five fields"},
		{"0 0 * * 7", "", "Sunday is 0"},
		{"0 0 L * *", "", "L, W or #"},
		{"0 0 0 * * *", "", "six fields"},
		{"0 0 * *", "", "4 fields"},
		{"", "", "empty"},
		{"60 * * * *", "", "`60` is no minute: that is 0 to 59"},
		{"x * * * *", "", "`x` is no minute: that is 0 to 59"},
		{"0 0 * * *", "Berlin", "no time zone `Berlin`"},
		{"0 0 * * *", "Local", "no time zone"},
	}
	for _, tt := range tests {
		got := schedule.Check(tt.cron, tt.zone, now)
		if tt.want == "" {
			if len(got) > 0 {
				t.Errorf("%s: %v", tt.cron, got)
			}
			continue
		}
		if len(got) != 1 || !strings.Contains(got[0].Message+got[0].Hint, tt.want) {
			t.Errorf("%s: %v, want %q", tt.cron, got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	now := at(t, "2026-11-01T00:00:00Z")
	for _, tt := range []struct {
		cron   string
		lasts  time.Duration
		always bool
		apart  time.Duration
	}{
		{"0 22 * * *", 24 * time.Hour, true, 24 * time.Hour},
		{"0 22 * * *", 23 * time.Hour, false, 0},
		{"0 22 * * 6", 8 * 24 * time.Hour, true, 7 * 24 * time.Hour},
		{"0 22 * * 5,6", 24 * time.Hour, false, 0},   // two nights, and five days between them
		{"* 8-18 * * 1-5", 15 * time.Hour, false, 0}, // the weekend is longer
		{"0 3 1 * *", 29 * 24 * time.Hour, false, 0}, // most months are longer
		{"0 3 1 * *", 31 * 24 * time.Hour, true, 31 * 24 * time.Hour},
		{"*/5 * * * *", 5 * time.Minute, true, 5 * time.Minute},
		{"0 0 30 2 *", 1000 * time.Hour, false, 0},
		{"nonsense", time.Hour, false, 0},
	} {
		if apart, always := schedule.Covers(tt.cron, tt.lasts, now); always != tt.always || apart != tt.apart {
			t.Errorf("%s for %v: %v %v, want %v %v", tt.cron, tt.lasts, apart, always, tt.apart, tt.always)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 0 * * *", "TZ=", "@every -5s", "*/0 * * * *", "1-5/2,7 * * * *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := schedule.Parse(s, "Europe/Berlin")
		if err != nil {
			return
		}
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		if next := c.Next(from); !next.IsZero() && !next.After(from) {
			t.Errorf("%q: next of %s is %s", s, from, next)
		}
	})
}

func times(q *connectortest.Queue) []string {
	var all []string
	for _, m := range q.Taken() {
		all = append(all, strings.Split(string(m.Raw), `"`)[3])
	}
	return all
}

// run runs a schedule inside a synctest bubble for d.
func run(t *testing.T, c schedule.Config, q connectors.Channel, d time.Duration) {
	t.Helper()
	s, err := schedule.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx, q); err != nil {
		t.Fatal(err)
	}
}

func TestRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, state := &connectortest.Queue{}, connectortest.NewState()
		c := schedule.Config{Name: "p", Cron: "0 6 * * *", Zone: "Europe/Berlin", State: state}
		run(t, c, q, 72*time.Hour)
		want := []string{"2000-01-01T06:00:00+01:00", "2000-01-02T06:00:00+01:00", "2000-01-03T06:00:00+01:00"}
		if got := times(q); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v", got)
		}
		m := q.Taken()[0]
		if string(m.Raw) != `{"scheduled_at":"2000-01-01T06:00:00+01:00","zone":"Europe/Berlin"}` || m.Meta.Source != "schedule" || len(m.ID) != 26 {
			t.Errorf("message %+v", m)
		}
		// Two replicas and a crash before remembering give the same message.
		again := &connectortest.Queue{}
		run(t, c, again, 24*time.Hour)
		if len(again.Taken()) != 1 || again.Taken()[0].ID == m.ID {
			t.Errorf("after a restart: %v", times(again))
		}
	})
}

func TestMissed(t *testing.T) {
	for rule, want := range map[string][]string{
		"":        {"2000-01-04T00:00:00Z"},
		"run_all": {"2000-01-02T00:00:00Z", "2000-01-03T00:00:00Z", "2000-01-04T00:00:00Z"},
		"skip":    nil,
	} {
		t.Run("missed "+rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, state := &connectortest.Queue{}, connectortest.NewState()
				c := schedule.Config{Name: "p", Cron: "0 0 * * *", Missed: rule, State: state}
				run(t, c, q, time.Hour)              // learns that it exists
				time.Sleep(3*24*time.Hour - 30*60e9) // down for three days
				run(t, c, q, time.Hour)
				if got := times(q); !reflect.DeepEqual(got, want) {
					t.Fatalf("got %v, want %v", got, want)
				}
				q2 := &connectortest.Queue{}
				run(t, c, q2, 24*time.Hour)
				if got := times(q2); !reflect.DeepEqual(got, []string{"2000-01-05T00:00:00Z"}) {
					t.Errorf("then %v", got)
				}
			})
		})
	}
	t.Run("run_all is bounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, state := &connectortest.Queue{}, connectortest.NewState()
			c := schedule.Config{Name: "p", Cron: "* * * * *", Missed: "run_all", State: state}
			run(t, c, q, time.Second)
			time.Sleep(30 * 24 * time.Hour)
			run(t, c, q, time.Second)
			got := times(q)
			if len(got) != 1000 || got[999] != "2000-01-31T00:00:00Z" {
				t.Errorf("%d runs, last %v", len(got), got[max(0, len(got)-1):])
			}
		})
	})
	t.Run("changed times begin anew", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, state := &connectortest.Queue{}, connectortest.NewState()
			run(t, schedule.Config{Name: "p", Cron: "0 0 1 * *", State: state}, q, time.Second)
			time.Sleep(10 * 24 * time.Hour)
			run(t, schedule.Config{Name: "p", Cron: "0 * * * *", State: state}, q, time.Hour)
			if got := times(q); !reflect.DeepEqual(got, []string{"2000-01-11T01:00:00Z"}) {
				t.Errorf("got %v", got)
			}
		})
	})
}

// TestStoreAway: a run that cannot be stored is late, not lost.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &connectortest.Queue{Judge: func([]message.Message) error {
			if time.Since(began) < 90*time.Minute {
				return errors.New("store down")
			}
			return nil
		}}
		state := connectortest.NewState()
		run(t, schedule.Config{Name: "p", Cron: "0 * * * *", Missed: "run_all", State: state}, q, 150*time.Minute)
		if got := times(q); !reflect.DeepEqual(got, []string{"2000-01-01T01:00:00Z", "2000-01-01T02:00:00Z"}) {
			t.Errorf("got %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// The run is stored, but how far it came is not remembered: it is sent
		// again after a restart and known by its ID.
		q, state := &connectortest.Queue{}, connectortest.NewState()
		c := schedule.Config{Name: "p", Cron: "0 * * * *", State: state}
		run(t, c, q, time.Minute)
		q.Judge = func([]message.Message) error { state.Fail(errors.New("down")); return nil }
		run(t, c, q, time.Hour)
		q.Judge = nil
		state.Fail(nil)
		run(t, c, q, time.Minute)
		if len(q.Taken()) != 1 || q.Calls() != 2 {
			t.Errorf("%d messages in %d calls", len(q.Taken()), q.Calls())
		}
	})
}
