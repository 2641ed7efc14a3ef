package embedded

// kv is the ordered store underneath. All methods may be called concurrently.
type kv interface {
	// get returns a copy of the value of a key, nil when there is none.
	get(key []byte) ([]byte, error)
	// scan calls each with the keys in [from, to) in order, or backwards, until it
	// returns false. Key and value are only good during the call.
	scan(from, to []byte, backwards bool, each func(key, value []byte) bool) error
	// batch begins an atomic write.
	batch() batch
	// write makes a batch visible to get and scan, after all batches written
	// before, and returns how to wait until it is durable. wait must be called.
	write(b batch) (wait func() error, err error)
	// close releases the store.
	close() error
}

// batch is a list of changes that are written together. Changes of one key
// count in their order. A value may not be changed until the batch is written;
// a key is copied. A batch is used up by write.
type batch interface {
	set(key, value []byte)
	// body sets a sealed record of a body, without a copy of it in between.
	body(key []byte, body sealed)
	del(key []byte)
	// drop deletes a key that was set exactly once since it did not exist. That is
	// cheaper, and wrong for any other key.
	drop(key []byte)
	// size is about how many bytes are written.
	size() int
}
