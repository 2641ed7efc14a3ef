package load

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/bench/order"
)

// Check tells whether body is the shipment of order n.
type Check func(body []byte, n int) error

// Target answers every request with 200 and keeps a ledger of the orders whose
// shipments have arrived.
type Target struct {
	listener net.Listener
	check    Check
	accepts  sync.WaitGroup

	ledger atomic.Pointer[Ledger]
}

// Ledger is what one run sent and what arrived of it.
type Ledger struct {
	First int // number of the first order
	sent  []int64
	got   []atomic.Int64
	size  atomic.Int64 // of a shipment that was checked in full

	Arrived    atomic.Int64 // different orders
	Duplicates atomic.Int64
	Foreign    atomic.Int64 // shipments of no order of this run
	wrong      atomic.Pointer[error]
	done       chan struct{}
}

// NewLedger expects n orders from number first on.
func NewLedger(first, n int) *Ledger {
	return &Ledger{First: first, sent: make([]int64, n), got: make([]atomic.Int64, n), done: make(chan struct{})}
}

// Done is closed once every order has arrived.
func (l *Ledger) Done() <-chan struct{} { return l.done }

// Err says what was wrong with a shipment.
func (l *Ledger) Err() error {
	if e := l.wrong.Load(); e != nil {
		return *e
	}
	return nil
}

// Missing returns how many orders have not arrived.
func (l *Ledger) Missing() int { return len(l.got) - int(l.Arrived.Load()) }

// Latencies returns how long each order took from its first byte out to the
// arrival of its shipment.
func (l *Ledger) Latencies() []time.Duration {
	out := make([]time.Duration, 0, len(l.got))
	for i := range l.got {
		if at := l.got[i].Load(); at != 0 {
			out = append(out, time.Duration(at-l.sent[i]))
		}
	}
	return out
}

// fullCheck is the share of shipments that are compared field by field; of the
// others the number and the length are.
const fullCheck = 256

func (l *Ledger) arrive(body []byte, check Check) {
	n := order.Number(body)
	i := n - l.First
	if n < 0 || i < 0 || i >= len(l.got) {
		l.Foreign.Add(1)
		return
	}
	if !l.got[i].CompareAndSwap(0, clock()) {
		l.Duplicates.Add(1)
		return
	}
	if size := l.size.Load(); n%fullCheck == 0 || size == 0 {
		if err := check(body, n); err != nil {
			l.fail(err)
		}
		l.size.Store(int64(len(body)))
	} else if size != int64(len(body)) {
		l.fail(fmt.Errorf("the shipment of order %d has %d bytes, others have %d", n, len(body), size))
	}
	if l.Arrived.Add(1) == int64(len(l.got)) {
		close(l.done)
	}
}

func (l *Ledger) fail(err error) { l.wrong.CompareAndSwap(nil, &err) }

var epoch = time.Now()

// clock never returns 0.
func clock() int64 { return int64(time.Since(epoch)) + 1 }

// Listen starts a target.
func Listen(addr string, check Check) (*Target, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	t := &Target{listener: l, check: check}
	t.Expect(NewLedger(0, 0))
	t.accepts.Go(t.accept)
	return t, nil
}

// Expect makes l the ledger of what arrives from now on.
func (t *Target) Expect(l *Ledger) { t.ledger.Store(l) }

// Close stops accepting; connections end with their clients.
func (t *Target) Close() error {
	err := t.listener.Close()
	t.accepts.Wait()
	return err
}

func (t *Target) accept() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		go t.serve(newConn(c)) // ends when the client closes
	}
}

var answer = []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

func (t *Target) serve(c *conn) {
	defer c.Close()
	for {
		_, body, err := c.message()
		if err != nil {
			return
		}
		t.ledger.Load().arrive(body, t.check)
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// Silence accepts connections and never answers.
func Silence(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the silent target: %w", err)
	}
	go func() {
		var held []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range held {
					c.Close()
				}
				return
			}
			held = append(held, c)
		}
	}()
	return l, nil
}

// Addr returns where the target listens.
func (t *Target) Addr() string { return t.listener.Addr().String() }
