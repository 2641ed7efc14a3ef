package diag

// Since says what came and went between two runs over the same definitions: the
// positions in after of findings that before did not have, and how many of
// before are gone. That lines moved makes none of them another one.
func Since(before, after List) (fresh []int, gone int) {
	was := make(map[string]bool, len(before))
	for _, print := range fingerprints(before) {
		was[print] = true
	}
	for i, print := range fingerprints(after) {
		if !was[print] {
			fresh = append(fresh, i)
		}
	}
	return fresh, len(before) - (len(after) - len(fresh))
}
