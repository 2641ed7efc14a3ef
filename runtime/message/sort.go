package message

import (
	"slices"
	"strings"
)

// sortMembers sorts by key. Nearly all objects of business documents have few
// keys, for which insertion is quickest.
func sortMembers(m []member) {
	if len(m) > 24 {
		slices.SortFunc(m, func(a, b member) int { return strings.Compare(a.key, b.key) })
		return
	}
	for i := 1; i < len(m); i++ {
		x := m[i]
		j := i
		for j > 0 && x.key < m[j-1].key {
			m[j] = m[j-1]
			j--
		}
		m[j] = x
	}
}
