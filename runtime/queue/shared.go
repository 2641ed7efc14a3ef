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
