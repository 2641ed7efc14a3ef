// Package shrink makes a list smaller as long as something stays true of it:
// delta debugging (ddmin).
package shrink

// Smallest returns a part of list for which fails is true and from which no
// single item can be left out. fails is true for list itself.
func Smallest[T any](list []T, fails func([]T) (bool, error)) ([]T, error) {
	for parts := 2; len(list) > 1; {
		smaller, err := reduce(list, parts, fails)
		if err != nil {
			return nil, err
		}
		switch {
		case smaller != nil:
			list, parts = smaller, max(parts-1, 2)
		case parts >= len(list):
			return list, nil
		default:
			parts = min(2*parts, len(list))
		}
	}
	return list, nil
}

// reduce leaves out one of so many parts, nil where none can be.
func reduce[T any](list []T, parts int, fails func([]T) (bool, error)) ([]T, error) {
	for i := range parts {
		from, to := i*len(list)/parts, (i+1)*len(list)/parts
		rest := append(append([]T{}, list[:from]...), list[to:]...)
		bad, err := fails(rest)
		if err != nil {
			return nil, err
		}
		if bad {
			return rest, nil
		}
	}
	return nil, nil
}
