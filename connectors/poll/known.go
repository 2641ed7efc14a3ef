package poll

import "crypto/sha256"

// maxKnown bounds the memory for items of one round: 16 MB.
const maxKnown = 500_000

// known are the items that were taken in lately. An overlap reads the same
// items in every round; handing them over again would be harmless, as their key
// is known, but would write a line of history for each of them each time. What
// is not known here, as after a start, is recognised by its key all the same.
type known struct {
	before, now map[[16]byte]struct{} // the round that ended last, and the one under way
}

func digest(raw []byte) [16]byte {
	sum := sha256.Sum256(raw)
	return [16]byte(sum[:16])
}

// repeats reports whether the very same item was taken in by this round or the
// one before, and keeps it in mind for the next.
func (k *known) repeats(raw []byte) bool {
	d := digest(raw)
	if _, ok := k.now[d]; ok {
		return true
	}
	if _, ok := k.before[d]; ok {
		k.put(d)
		return true
	}
	return false
}

// add notes an item that is durable in the queue.
func (k *known) add(raw []byte) { k.put(digest(raw)) }

func (k *known) put(d [16]byte) {
	if k.now == nil {
		k.now = map[[16]byte]struct{}{}
	}
	if len(k.now) < maxKnown {
		k.now[d] = struct{}{}
	}
}

// turn ends a round.
func (k *known) turn() { k.before, k.now = k.now, nil }
