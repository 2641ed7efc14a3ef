package message

import (
	"cmp"
	"slices"
	"strings"
)

// A rank stands for a member while keys are sorted: small, free of pointers,
// and nearly always decided by the first eight bytes of the key.
type rank struct {
	prefix uint64
	at     int // in encoder.members
}

// prefix returns the first eight bytes of a key so that smaller keys have
// smaller numbers. Equal numbers say nothing.
func prefix(key string) (p uint64) {
	if len(key) >= 8 {
		k := key[:8]
		return uint64(k[0])<<56 | uint64(k[1])<<48 | uint64(k[2])<<40 | uint64(k[3])<<32 |
			uint64(k[4])<<24 | uint64(k[5])<<16 | uint64(k[6])<<8 | uint64(k[7])
	}
	for i := range len(key) {
		p |= uint64(key[i]) << (56 - 8*i)
	}
	return p
}

func (e *encoder) compare(a, b rank) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return strings.Compare(e.members[a.at].key, e.members[b.at].key)
}

// sort sorts by key. Nearly all objects of business documents have few keys,
// for which insertion is quickest.
func (e *encoder) sort(order []rank) {
	if len(order) > 40 {
		slices.SortFunc(order, e.compare)
		return
	}
	for i := 1; i < len(order); i++ {
		x := order[i]
		j := i
		for j > 0 && (x.prefix < order[j-1].prefix || x.prefix == order[j-1].prefix && e.compare(x, order[j-1]) < 0) {
			order[j] = order[j-1]
			j--
		}
		order[j] = x
	}
}
