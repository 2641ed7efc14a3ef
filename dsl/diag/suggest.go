package diag

import (
	"slices"
	"strings"
)

// Nearest returns the candidates a person most likely meant by word, best
// first and at most three. It measures optimal string alignment distance
// (Damerau-Levenshtein without repeated edits) and ignores case; a candidate
// further away than about a third of the word is not offered.
func Nearest(word string, candidates []string) []string {
	type scored struct {
		name   string
		dist   int
		longer bool // one is the beginning of the other
	}
	limit := max(1, (len([]rune(word))+1)/3)
	lower := strings.ToLower(word)
	var near []scored
	for _, c := range candidates {
		lc := strings.ToLower(c)
		d := distance(lower, lc)
		// A prefix is a likely intention even when much is missing.
		longer := d > limit && len(lower) >= 3 && (strings.HasPrefix(lc, lower) || strings.HasPrefix(lower, lc) && len(lc) >= 3)
		if longer {
			d = limit
		}
		// Where every letter of a short name would have to change, nothing is near.
		if d <= limit && (d < len([]rune(c)) || strings.HasPrefix(lower, lc)) {
			near = append(near, scored{c, d, longer})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		if a.longer != b.longer {
			if b.longer {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, s := range near {
		if !slices.Contains(out, s.name) {
			out = append(out, s.name)
		}
		if len(out) == 3 {
			break
		}
	}
	return out
}

// DidYouMean words the nearest candidate as a question, or returns "".
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); len(near) > 0 {
		return "did you mean `" + near[0] + "`?"
	}
	return ""
}

func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	before, prev, cur := make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		cur[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			cur[j] = min(cur[j-1]+1, prev[j]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(rb)]
}

// SameEnd returns the candidates that are called the same without their folder and
// their version: std/canonical/order_released@1 for order_released.
func SameEnd(word string, candidates []string) []string {
	end := func(s string) string {
		s, _, _ = strings.Cut(s[strings.LastIndexByte(s, '/')+1:], "@")
		return strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(s))
	}
	var out []string
	for _, c := range candidates {
		if c != word && end(word) != "" && end(c) == end(word) && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
