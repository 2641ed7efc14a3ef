package rig

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/bench/load"
)

// Load is messages that are sent at a rate.
type Load struct {
	Path        string
	Rate        float64 // messages a second; 0 = each connection as soon as it has its answer
	Count       int64   // the most; 0 = until the context ends
	Connections int
	Keys        int // messages of a key go over one connection, one after the other
	Size        int // bytes of filling
	Phase       *Phase
	// To names the address to send to. It is asked before each message and gets
	// the one that the connection is open to.
	To func(now string) string
}

// To sends everything to one address.
func To(addr string) func(string) string { return func(string) string { return addr } }

// Send sends until the count is reached or ctx ends. What fails is counted and
// not tried again.
func (l *Ledger) Send(ctx context.Context, o Load) {
	o.Keys = max(o.Keys, o.Connections)
	base := l.reserve(o.Keys)
	var left atomic.Int64
	left.Store(o.Count)
	begin := time.Now()
	var all sync.WaitGroup
	for i := range o.Connections {
		all.Go(func() {
			c := &source{ledger: l, o: o, begin: begin, place: i, left: &left, filling: strings.Repeat("x", o.Size)}
			for k := i; k < o.Keys; k += o.Connections {
				c.keys = append(c.keys, base+k)
			}
			c.run(ctx)
		})
	}
	all.Wait()
}

// source is one connection.
type source struct {
	ledger  *Ledger
	o       Load
	begin   time.Time
	place   int
	keys    []int
	left    *atomic.Int64
	filling string
	client  *load.Client
}

func (s *source) run(ctx context.Context) {
	defer func() {
		if s.client != nil {
			s.client.Close()
		}
	}()
	wait := time.NewTimer(0)
	<-wait.C
	for turn := 0; ctx.Err() == nil; turn++ {
		if s.o.Count > 0 && s.left.Add(-1) < 0 {
			return
		}
		from := time.Now()
		if s.o.Rate > 0 {
			due := s.begin.Add(time.Duration(float64(turn*s.o.Connections+s.place) / s.o.Rate * float64(time.Second)))
			if pause := due.Sub(from); pause > 0 {
				wait.Reset(pause)
				select {
				case <-ctx.Done():
					return
				case <-wait.C:
				}
				from = time.Now() // how exactly the timer goes is no matter of the system
			} else {
				from = due // the answer before came too late for it
			}
		}
		s.one(turn, from)
	}
}

// one sends one message, which counts as begun at from.
func (s *source) one(turn int, from time.Time) {
	n := s.ledger.next.Add(1) - 1
	key := s.keys[turn%len(s.keys)]
	body := fmt.Appendf(nil, `{"n":%d,"p":%d,"at":%d,"k":%d,"seq":%d,"note":"%s"}`, n, s.o.Phase.number, from.Sub(s.ledger.start), key, turn, s.filling)
	s.ledger.state(n).Or(sent)
	s.o.Phase.Sent.Add(1)
	what := s.post(body)
	s.o.Phase.answered(n, time.Since(from), what)
}

// post returns what went wrong, "" for an answer of 2xx.
func (s *source) post(body []byte) string {
	now := ""
	if s.client != nil {
		now = s.client.Addr
	}
	if to := s.o.To(now); s.client == nil || to != now {
		if s.client != nil {
			s.client.Close()
		}
		var err error
		if s.client, err = load.Dial(to); err != nil {
			s.client = nil
			return err.Error()
		}
	}
	code, answer, last, err := s.client.Post(s.o.Path, body)
	switch {
	case err != nil:
		what := fmt.Sprintf("%s: %s", s.client.Addr, err)
		s.client.Close()
		s.client = nil
		return what
	case code < 200 || code > 299:
		return fmt.Sprintf("%s answered %d: %s", s.client.Addr, code, answer[:min(len(answer), 200)])
	}
	if last {
		s.client.Close()
		s.client = nil
	}
	return ""
}
