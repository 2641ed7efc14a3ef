package queue

import "context"

// Shared is implemented by drivers whose store several processes use at once,
// and that somebody else may empty, replace or put back.
type Shared interface {
	Driver
	// Identity reads what tells this store from another at the same address.
	Identity(ctx context.Context) (Identity, error)
}

// Identity is what a store is known by.
type Identity struct {
	Mark string `json:"mark"`           // a random word made with the store
	Jobs uint64 `json:"jobs"`           // how many jobs it ever took; it never falls while the store keeps what it has
	Lost int64  `json:"lost,omitempty"` // how often this process found that it lacks what it had confirmed
}

// Durability is something that an acknowledged commit survives.
type Durability string

// The kinds of durability.
const (
	Process    Durability = "process"    // a crash of the process that holds the store
	Fsync      Durability = "fsync"      // a power cut
	Replicated Durability = "replicated" // a failover to a replica
)

// Durable is implemented by drivers that can tell what their commits survive.
type Durable interface {
	// Promises returns all that holds now. Where it cannot be known it returns
	// nothing.
	Promises(ctx context.Context) ([]Durability, error)
}
