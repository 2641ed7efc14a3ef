package runtime

// turn is a lock that may be held while the store or another system is asked.
// It is a channel of one place, so that a wait for it is a wait like any other
// for tests that run on a clock of their own.
type turn chan struct{}

// Lock waits for the turn.
func (t turn) Lock() { t <- struct{}{} }

// Unlock gives it to the next.
func (t turn) Unlock() { <-t }
