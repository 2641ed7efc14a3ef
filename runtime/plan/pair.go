package plan

import "slices"

// pair is one call as it is made on both sides.
type pair struct{ a, b call }

// match finds which calls of two runs are the same: by their step, which is named
// by what it does, and then by their target.
func match(a, b []call) (pairs []pair, gone, fresh []call) {
	taken := make([]bool, len(b))
	left := a
	for _, alike := range []func(x, y call) bool{
		func(x, y call) bool { return x.step == y.step && x.target == y.target },
		func(x, y call) bool { return x.target == y.target },
	} {
		var rest []call
		for _, x := range left {
			i := slices.IndexFunc(b, func(y call) bool { return alike(x, y) })
			for i >= 0 && taken[i] {
				next := slices.IndexFunc(b[i+1:], func(y call) bool { return alike(x, y) })
				if next < 0 {
					i = -1
					break
				}
				i += next + 1
			}
			if i < 0 {
				rest = append(rest, x)
				continue
			}
			taken[i] = true
			pairs = append(pairs, pair{x, b[i]})
		}
		left = rest
	}
	for i, y := range b {
		if !taken[i] {
			fresh = append(fresh, y)
		}
	}
	return pairs, left, fresh
}
