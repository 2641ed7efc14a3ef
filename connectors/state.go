package connectors

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// State is where a source remembers how far it has come. What Save returned
// nil for survives a restart.
type State interface {
	// Load returns the value of key, nil where there is none.
	Load(ctx context.Context, key string) ([]byte, error)
	// Save keeps value under key; a nil value forgets it.
	Save(ctx context.Context, key string, value []byte) error
}

// StableID returns a message ID that is the same whenever it is asked for the
// same time and parts, so that a source that repeats itself after a crash adds
// nothing to the queue. Like all message IDs it has 26 characters and sorts by
// time.
func StableID(at time.Time, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	copy(b[6:], h.Sum(nil))
	return idEncoding.EncodeToString(b[:])
}

var idEncoding = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
