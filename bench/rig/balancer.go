package rig

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer spreads connections over the replicas that say they are ready, as the
// ones in front of real replicas do. It never repeats a request.
type Balancer struct {
	replicas []*Replica
	ready    []atomic.Bool
	turn     atomic.Int64
	stop     context.CancelFunc
	joined   sync.WaitGroup
}

// Look is how often a Balancer asks every replica whether it is ready.
const Look = 50 * time.Millisecond

// Balance starts a balancer in front of all replicas.
func (r *Rig) Balancer() *Balancer {
	ctx, stop := context.WithCancel(context.Background())
	b := &Balancer{replicas: r.Replicas, ready: make([]atomic.Bool, len(r.Replicas)), stop: stop}
	for i := range b.replicas {
		b.ready[i].Store(b.replicas[i].Ready())
		b.joined.Go(func() { b.watch(ctx, i) })
	}
	return b
}

func (b *Balancer) watch(ctx context.Context, i int) {
	tick := time.NewTicker(Look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.ready[i].Store(b.replicas[i].Ready())
		}
	}
}

// Close ends the balancer.
func (b *Balancer) Close() {
	b.stop()
	b.joined.Wait()
}

// To implements Load.To: a connection stays where it is as long as that replica
// is ready.
func (b *Balancer) To(now string) string {
	if i := slices.IndexFunc(b.replicas, func(r *Replica) bool { return r.HTTP == now }); i >= 0 && b.ready[i].Load() {
		return now
	}
	first := int(b.turn.Add(1))
	for i := range b.replicas {
		if at := (first + i) % len(b.replicas); b.ready[at].Load() {
			return b.replicas[at].HTTP
		}
	}
	return b.replicas[first%len(b.replicas)].HTTP // nobody is: let it fail
}
