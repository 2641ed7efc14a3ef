package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/bench/order"
)

// Job is what a generator does.
type Job struct {
	Addr        string
	Path        string
	Connections int
	Ledger      *Ledger
}

// Sent is what became of a Job.
type Sent struct {
	Accepted int
	Refused  int             // answered, but not with 2xx
	Answers  []time.Duration // from the first byte out to the answer
}

// Send sends every order of the ledger once, each connection one after the
// other. It stops at the first broken connection.
func Send(ctx context.Context, j Job) (Sent, error) {
	var next atomic.Int64
	var all sync.WaitGroup
	parts := make([]Sent, j.Connections)
	errs := make([]error, j.Connections)
	for i := range j.Connections {
		all.Go(func() { parts[i], errs[i] = j.one(ctx, &next) })
	}
	all.Wait()
	var sum Sent
	for _, p := range parts {
		sum.Accepted += p.Accepted
		sum.Refused += p.Refused
		sum.Answers = append(sum.Answers, p.Answers...)
	}
	return sum, errors.Join(errs...)
}

func (j *Job) one(ctx context.Context, next *atomic.Int64) (Sent, error) {
	var s Sent
	raw, err := net.Dial("tcp", j.Addr)
	if err != nil {
		return s, fmt.Errorf("reach the system: %w", err)
	}
	defer raw.Close()
	c := newConn(raw)
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", j.Path, j.Addr, order.Size())
	head := len(request)
	request = order.Append(request, 0)
	for ctx.Err() == nil {
		i := int(next.Add(1)) - 1
		if i >= len(j.Ledger.sent) {
			return s, nil
		}
		order.Renumber(request[head:], j.Ledger.First+i)
		began := clock()
		j.Ledger.sent[i] = began
		if _, err := c.Write(request); err != nil {
			return s, fmt.Errorf("send order %d: %w", j.Ledger.First+i, err)
		}
		answer, _, err := c.message()
		if err != nil {
			return s, fmt.Errorf("read the answer to order %d: %w", j.Ledger.First+i, err)
		}
		s.Answers = append(s.Answers, time.Duration(clock()-began))
		if code := status(answer); code >= 200 && code < 300 {
			s.Accepted++
		} else {
			s.Refused++
		}
	}
	return s, ctx.Err()
}
