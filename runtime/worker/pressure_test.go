package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// waited is how long intake waits while work happens.
func waited(t *testing.T, p *pressure, work func()) time.Duration {
	t.Helper()
	began := time.Now()
	done := make(chan struct{})
	go func() { defer close(done); p.wait(t.Context()) }()
	go work()
	<-done
	return time.Since(began)
}

func TestIntakeWaitsForWorkersThatWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pressure{}
		if d := waited(t, p, func() {}); d != 0 {
			t.Errorf("waited %s for nothing", d)
		}
		p.taken(maxAhead + 100)
		if d := waited(t, p, func() {
			time.Sleep(70 * time.Millisecond)
			p.leased(50)
			time.Sleep(70 * time.Millisecond)
			p.leased(50)
		}); d != 140*time.Millisecond {
			t.Errorf("waited %s for workers that were behind for 140ms", d)
		}
		p.taken(1)
		if d := waited(t, p, func() {}); d != headway {
			t.Errorf("waited %s for workers that do nothing", d)
		}
		if d := waited(t, p, func() {}); d != 0 {
			t.Errorf("waited %s for what was given up", d)
		}
		p.taken(2 * maxAhead)
		slow := func() {
			for range 30 {
				time.Sleep(50 * time.Millisecond)
				p.leased(1)
			}
		}
		if d := waited(t, p, slow); d != patience {
			t.Errorf("waited %s for workers that are slow", d)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		p.taken(2 * maxAhead)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		if p.wait(ctx); time.Since(began) != 0 {
			t.Error("waited although the source has ended")
		}
	})
}
