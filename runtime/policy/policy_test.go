package policy_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"crossdock/connectors/schedule"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

var begin = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestBucketKeepsItsRate: in no second are there more calls than the rate and
// what may come at once, and who asks all the time gets all of the rate.
func TestBucketKeepsItsRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 2000).Draw(rt, "n")
		per := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(rt, "per")
		b := policy.NewBucket(n, per)
		now := begin.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(rt, "first")))
		var took []time.Time
		for range 300 {
			wait := b.Take(now)
			if wait == 0 {
				took = append(took, now)
			}
			if rapid.Bool().Draw(rt, "eager") {
				now = now.Add(wait)
			} else {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*per)/int64(n)+1).Draw(rt, "pause")))
			}
		}
		interval := per / time.Duration(n)
		burst := max(int(100*time.Millisecond/max(interval, 1)), 1)
		for i := range took {
			for j := i; j < len(took); j++ {
				if most := int(took[j].Sub(took[i])/interval) + burst; j-i+1 > most {
					rt.Fatalf("%d calls within %s, at most %d were allowed", j-i+1, took[j].Sub(took[i]), most)
				}
			}
		}
	})
}

// TestCircuitProbes plays calls that fail and succeed, and checks that an open
// circuit lets one call through at a time, not before its pause is over.
func TestCircuitProbes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trip := policy.Trip{Failures: rapid.IntRange(1, 5).Draw(rt, "failures"), Within: 30 * time.Second, Probe: time.Minute}
		c := policy.NewCircuit(trip)
		now, cutUntil := begin, time.Time{}
		var failures []time.Time
		cut, probing, level := false, false, 0 // level: calls that may be made at a time while it recovers
		for range 200 {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(rt, "seconds")) * time.Second)
			try := policy.TryCircuit(c, now)
			switch {
			case cut && now.Before(cutUntil) && try != policy.Refused:
				rt.Fatalf("a call before the pause was over: %s of %s", now, cutUntil)
			case cut && !now.Before(cutUntil) && !probing && try != policy.Probe:
				rt.Fatalf("nobody may try again")
			case !cut && try == policy.Refused:
				rt.Fatalf("refused while closed")
			}
			if try == policy.Refused {
				continue
			}
			if try == policy.Probe {
				if policy.TryCircuit(c, now) != policy.Refused {
					rt.Fatalf("two calls try at the same time")
				}
			}
			if rapid.IntRange(0, 2).Draw(rt, "result") > 0 {
				recovers := c.Done(now, try, policy.Failed)
				if recovers {
					rt.Fatal("recovers with a failure")
				}
				kept := failures[:0]
				for _, f := range failures {
					if now.Sub(f) < trip.Within {
						kept = append(kept, f)
					}
				}
				if failures = append(kept, now); cut || level > 0 || len(failures) >= trip.Failures {
					cut, cutUntil, failures, level = true, now.Add(trip.Probe), nil, 0
				}
				continue
			}
			if recovers := c.Done(now, try, policy.Answered); recovers != cut {
				rt.Fatalf("recovers: %v after it was cut off: %v", recovers, cut)
			}
			if cut {
				cut, level = false, 1
			} else if level > 0 {
				if level++; level > 63 {
					level = 0
				}
			}
		}
	})
}

func window(t *testing.T, cron, zone string, lasts time.Duration) *policy.Window {
	t.Helper()
	c, err := schedule.Parse(cron, zone)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Window{Name: "w", Next: c.Next, Lasts: lasts}
}

// TestWindows is a table around the days on which clocks are changed, over the
// ends of months and in leap years.
func TestWindows(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const hour = time.Hour
	for _, c := range []struct {
		name, cron, zone string
		lasts            time.Duration
		now, until       string // UTC; "" = not closed
	}{
		{"before", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-11-28 20:59", ""},
		{"first minute", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-11-28 21:00", "2026-11-29 01:00"},
		{"over midnight", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-11-29 00:59", "2026-11-29 01:00"},
		{"its end is open", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-11-29 01:00", ""},
		{"summer time", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-07-04 20:00", "2026-07-05 00:00"},
		{"clocks go forward in it: four hours of real time", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-03-28 21:00", "2026-03-29 01:00"},
		{"clocks go back in it: four hours of real time", "0 22 * * 6", "Europe/Berlin", 4 * hour, "2026-10-24 20:30", "2026-10-25 00:00"},
		{"begins in the hour that is left out: at its end", "30 2 * * *", "Europe/Berlin", hour, "2026-03-29 01:10", "2026-03-29 02:00"},
		{"begins in the hour that comes twice: once, the first time", "30 2 * * *", "Europe/Berlin", hour, "2026-10-25 00:45", "2026-10-25 01:30"},
		{"and not again", "30 2 * * *", "Europe/Berlin", hour, "2026-10-25 01:45", ""},
		{"New York, left out", "30 2 * * *", "America/New_York", hour, "2026-03-08 07:05", "2026-03-08 08:00"},
		{"29 February", "0 0 29 2 *", "UTC", 24 * hour, "2028-02-29 12:00", "2028-03-01 00:00"},
		{"no 29 February", "0 0 29 2 *", "UTC", 24 * hour, "2027-03-01 00:00", ""},
		{"last of the month", "0 23 31 * *", "UTC", 2 * hour, "2026-12-31 23:30", "2027-01-01 01:00"},
		{"those that touch are one", "0 */6 * * *", "UTC", 6 * hour, "2026-11-23 12:00", "any"},
		{"a zone of a quarter hour", "0 1 * * *", "Asia/Kathmandu", hour, "2026-11-22 19:20", "2026-11-22 20:15"},
	} {
		cal := policy.NewCalendar([]*policy.Window{window(t, c.cron, c.zone, c.lasts)})
		_, until := cal.Closed(at(c.now), queue.Normal)
		switch {
		case c.until == "" && !until.IsZero():
			t.Errorf("%s: closed until %s", c.name, until.UTC())
		case c.until == "any" && until.IsZero():
			t.Errorf("%s: not closed", c.name)
		case c.until != "" && c.until != "any" && !until.Equal(at(c.until)):
			t.Errorf("%s: until %s, want %s", c.name, until.UTC(), c.until)
		}
	}
}

// TestWindowsAgreeWithALongLook compares the answers of a calendar that is asked
// in any order with one that looks at every beginning.
func TestWindowsAgreeWithALongLook(t *testing.T) {
	crons := []string{"0 22 * * 6", "*/20 * * * *", "30 2 * * *", "0 0 1 * *", "15 3 * * 1-5"}
	rapid.Check(t, func(rt *rapid.T) {
		w := window(t, rapid.SampledFrom(crons).Draw(rt, "cron"), rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York"}).Draw(rt, "zone"),
			time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes"))*time.Minute)
		cal := policy.NewCalendar([]*policy.Window{w})
		now := begin.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(rt, "begin")) * time.Minute)
		for range 20 {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "minutes")) * time.Minute)
			closed := false
			for b := w.Next(now.Add(-w.Lasts - time.Minute)); !b.IsZero() && !b.After(now); b = w.Next(b) {
				closed = closed || now.Before(b.Add(w.Lasts))
			}
			if _, until := cal.Closed(now, queue.Low); closed != !until.IsZero() {
				rt.Fatalf("at %s: closed %v, the calendar says until %s", now, closed, until)
			}
		}
	})
}

// TestWindowsFindTheirLastEnd compares what is told of messages that a window
// held, for as long as it slows them down, with a look at every beginning.
func TestWindowsFindTheirLastEnd(t *testing.T) {
	const slowed = 48 * time.Hour
	crons := []string{"0 22 * * 6", "*/20 * * * *", "30 2 * * *", "0 0 1 * *", "15 3 * * 1-5"}
	rapid.Check(t, func(rt *rapid.T) {
		w := window(t, rapid.SampledFrom(crons).Draw(rt, "cron"), "Europe/Berlin", time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes"))*time.Minute)
		w.Rate, w.Per = 1, time.Second
		now := begin.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(rt, "now")) * time.Minute)
		received := now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(rt, "age")) * time.Minute)
		var end time.Time // of the last one that began
		for b := w.Next(now.Add(-w.Lasts - slowed)); !b.IsZero() && !b.After(now); b = w.Next(b) {
			end = b.Add(w.Lasts)
		}
		want := !end.IsZero() && !now.Before(end) && now.Sub(end) < slowed && received.Before(end)
		if got := policy.NewCalendar([]*policy.Window{w}).Held(now, received, queue.Low); got != want {
			rt.Fatalf("at %s, received %s: held %v, the last window ended %s", now, received, got, end)
		}
	})
}

// TestWindowsAreFoundFromClose: one that comes often is not walked through from
// two days ago.
func TestWindowsAreFoundFromClose(t *testing.T) {
	w, asked := window(t, "*/2 * * * *", "UTC", 10*time.Second), 0
	next := w.Next
	w.Next = func(at time.Time) time.Time { asked++; return next(at) }
	policy.NewCalendar([]*policy.Window{w}).Closed(begin.Add(time.Minute), queue.Normal)
	if asked > 10 {
		t.Errorf("the schedule was asked %d times", asked)
	}
}

func TestManualMaintenance(t *testing.T) {
	cal := policy.NewCalendar(nil)
	cal.SetManual(policy.Manual{From: begin, Until: begin.Add(2 * time.Hour), Who: "ann", Reason: "patch", Let: [4]bool{true}})
	for _, c := range []struct {
		after  time.Duration
		p      queue.Priority
		closed bool
	}{{-time.Second, queue.Low, false}, {0, queue.Low, true}, {0, queue.Critical, false}, {2*time.Hour - 1, queue.Normal, true}, {2 * time.Hour, queue.Normal, false}} {
		name, until := cal.Closed(begin.Add(c.after), c.p)
		if (name != "") != c.closed || c.closed && (name != "maintenance by ann, patch" || !until.Equal(begin.Add(2*time.Hour))) {
			t.Errorf("%s, priority %d: %q until %s", c.after, c.p, name, until)
		}
	}
}

func TestPeriods(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    policy.Period
		now  time.Time
		want time.Duration
	}{
		{policy.Day, time.Date(2026, 3, 29, 12, 0, 0, 0, berlin), 23 * time.Hour},
		{policy.Day, time.Date(2026, 10, 25, 12, 0, 0, 0, berlin), 25 * time.Hour},
		{policy.Day, time.Date(2026, 10, 25, 2, 30, 0, 0, berlin).Add(time.Hour), 25 * time.Hour},
		{policy.Hour, time.Date(2026, 10, 25, 2, 30, 0, 0, berlin), time.Hour},
		{policy.Month, time.Date(2028, 2, 10, 0, 0, 0, 0, time.UTC), 29 * 24 * time.Hour},
		{policy.Month, time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), 31 * 24 * time.Hour},
	} {
		b, e := c.p.Bounds(c.now, c.now.Location())
		if e.Sub(b) != c.want || c.now.Before(b) || !c.now.Before(e) {
			t.Errorf("%s around %s: %s to %s", c.p, c.now, b, e)
		}
	}
}

// TestQuotaIsNeverExceeded: several processes count on one store.
func TestQuotaIsNeverExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		const n, reserve = 5000, 10
		now := time.Now()
		var mu sync.Mutex
		var normal, urgent int
		var wg sync.WaitGroup
		for i := range 4 {
			q := policy.NewQuota(store, "erp", n, policy.Day, time.UTC, reserve)
			wg.Go(func() {
				for range 3000 {
					p := queue.Normal
					if i == 0 && rand.IntN(2) == 0 {
						p = queue.Critical
					}
					spent, err := q.Take(context.Background(), now, p)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if spent.IsZero() && p == queue.Critical {
						urgent++
					} else if spent.IsZero() {
						normal++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if normal > n-n*reserve/100 || normal+urgent > n {
			t.Errorf("%d of everybody and %d of critical work were let through", normal, urgent)
		}
		if normal+urgent < n*85/100 {
			t.Errorf("only %d of %d could be used", normal+urgent, n)
		}
		// A process that begins later knows what was used.
		q := policy.NewQuota(store, "erp", n, policy.Day, time.UTC, reserve)
		if spent, err := q.Take(context.Background(), now, queue.Normal); err != nil || spent.IsZero() {
			t.Errorf("after a restart: %v, %v", spent, err)
		}
		if spent, err := q.Take(context.Background(), now.Add(24*time.Hour), queue.Normal); err != nil || !spent.IsZero() {
			t.Errorf("on the next day: %v, %v", spent, err)
		}
	})
}

// TestRateIsShared: three replicas on one store keep to one rate together.
func TestRateIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		start := time.Now()
		var mu sync.Mutex
		perSecond := map[int]int{}
		var wg sync.WaitGroup
		for range 3 {
			g := policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 64, Rate: 50, Per: time.Second, Store: store, Shared: true})
			for range 30 {
				wg.Go(func() {
					for ctx.Err() == nil {
						p, hold := g.Enter(ctx, policy.Ask{Operation: "x", Priority: queue.Normal})
						if hold != nil {
							time.Sleep(time.Until(hold.Until))
							continue
						}
						if ctx.Err() == nil {
							mu.Lock()
							perSecond[int(time.Since(start)/time.Second)]++
							mu.Unlock()
						}
						p.Leave(policy.Answered)
					}
				})
			}
		}
		wg.Wait()
		total := 0
		for s, n := range perSecond {
			total += n
			if n > 60 {
				t.Errorf("%d calls in second %d", n, s)
			}
		}
		if total < 20*50*8/10 || total > 20*50+20 {
			t.Errorf("%d calls in 20 s", total)
		}
	})
}

func TestGateGivesPlacesByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := policy.NewGate(2, 50)
		ctx := context.Background()
		if !g.Enter(ctx, queue.Low) {
			t.Fatal("no place")
		}
		var mu sync.Mutex
		var order []queue.Priority
		enter := func(p queue.Priority) {
			go func() {
				if !g.Enter(ctx, p) {
					return
				}
				mu.Lock()
				order = append(order, p)
				mu.Unlock()
				time.Sleep(time.Second)
				g.Leave()
			}()
		}
		for range 3 {
			enter(queue.Low)
		}
		synctest.Wait()
		if len(order) != 0 {
			t.Fatal("the reserve was given away")
		}
		enter(queue.Critical)
		synctest.Wait()
		if len(order) != 1 || order[0] != queue.Critical {
			t.Fatalf("critical work waits: %v", order)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if g.Enter(gone, queue.Low) {
			t.Fatal("a place for one who left")
		}
		g.Leave()
		time.Sleep(10 * time.Second)
		if used, waiting, _ := g.Load(); len(order) != 4 || used != 0 || waiting != 0 {
			t.Errorf("%v, %d inside, %d wait", order, used, waiting)
		}
	})
}

func TestOnePlaceIsForEverybody(t *testing.T) {
	g := policy.NewGate(1, 100)
	if !g.Enter(t.Context(), queue.Low) {
		t.Fatal("no place")
	}
}
