package embedded

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sieve tells for most idempotency keys that they are certainly not on the disk,
// which spares nearly every new message a look at the disk. It is a list of
// Bloom filters, each of which is dropped when all its keys have ended. May be
// asked concurrently.
type sieve struct {
	seed  maphash.Seed
	mu    sync.Mutex // held to change
	ready atomic.Bool
	parts atomic.Pointer[[]*sievePart]
}

const (
	sieveKeys  = 1 << 20 // of one part, at 12 bits each
	sieveWords = 12 * sieveKeys / 64
	sieveParts = 32 // with more keys than that the disk is asked
)

type sievePart struct {
	bits    [sieveWords]uint64
	n       int
	ends    time.Time // of the last key
	forever bool      // a key has no end
}

func newSieve() *sieve {
	s := &sieve{seed: maphash.MakeSeed()}
	s.parts.Store(&[]*sievePart{})
	return s
}

// probe finds the block of 512 bits of a key in a part, and its bits there.
func probe(h uint64) (block int, step uint64) {
	return int((h >> 32) * (sieveWords / 8) >> 32), h&0xffffffff | 1
}

// add remembers a key. end is the zero time for a key without end.
func (s *sieve) add(key string, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := *s.parts.Load()
	if len(parts) > sieveParts {
		return
	}
	if len(parts) == 0 || parts[len(parts)-1].n >= sieveKeys {
		parts = append(slices.Clone(parts), &sievePart{})
		s.parts.Store(&parts)
	}
	p := parts[len(parts)-1]
	p.n++
	p.forever = p.forever || end.IsZero()
	if end.After(p.ends) {
		p.ends = end
	}
	block, step := probe(maphash.String(s.seed, key))
	x := step
	for range 6 {
		bit := x >> 7 & 511
		atomic.OrUint64(&p.bits[block*8+int(bit>>6)], 1<<(bit&63))
		x = x*0x9e3779b97f4a7c15 + step
	}
}

// lacks tells that a key is certainly not there, or has ended.
func (s *sieve) lacks(key string) bool {
	if !s.ready.Load() {
		return false
	}
	parts := *s.parts.Load()
	if len(parts) > sieveParts {
		return false
	}
	block, step := probe(maphash.String(s.seed, key))
next:
	for _, p := range parts {
		x := step
		for range 6 {
			bit := x >> 7 & 511
			if atomic.LoadUint64(&p.bits[block*8+int(bit>>6)])&(1<<(bit&63)) == 0 {
				continue next
			}
			x = x*0x9e3779b97f4a7c15 + step
		}
		return false
	}
	return true
}

// forget drops the parts of which all keys have ended.
func (s *sieve) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.parts.Load()
	parts := slices.DeleteFunc(slices.Clone(old), func(p *sievePart) bool {
		return p.n >= sieveKeys && !p.forever && p.ends.Before(now)
	})
	if len(parts) < len(old) && len(old) <= sieveParts {
		s.parts.Store(&parts)
	}
}

// fillSieve reads the keys that are on the disk. Until it is done, the disk is
// asked about every key.
func (s *store) fillSieve() {
	whole := true
	err := s.kv.scan([]byte{keyDedupe}, []byte{keyDedupe + 1}, false, func(k, v []byte) bool {
		known, err := readKnown(v)
		if s.damaged(err, "idempotency key "+string(k[1:])) != nil {
			known.expires = time.Time{}
		}
		s.sieve.add(string(k[1:]), known.expires)
		whole = !s.closed.Load()
		return whole
	})
	if err != nil {
		s.opts.Logger.Error("the store cannot read its idempotency keys in advance", "error", s.reading(err))
		return
	}
	s.sieve.ready.Store(whole)
}
