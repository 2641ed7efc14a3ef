package redis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// format is the version of the layout as a whole. It begins the mark of the
// store, which every call compares: a release that changes the layout of a
// store in use gives it another mark, and replicas of older releases stop at
// their next call instead of misreading it.
const format = 1

// newMark tells this store from any that may come in its place.
func newMark() string { return fmt.Sprintf("%d-%s", format, randomWord()) }

// known refuses a store that this release cannot read.
func known(mark string) error {
	text, _, ok := strings.Cut(mark, "-")
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case !ok || err != nil || n == 0:
		return errors.New("open the store: its mark is not one of crossdock; another program may use the same keys, so give this one a database of its own (redis://HOST:PORT/1)")
	case n > format:
		return fmt.Errorf("open the store: it was written by a newer crossdock: it has format %d, this one knows format %d", n, format)
	case n < format:
		return fmt.Errorf("open the store: it was written by an older crossdock: it has format %d, this one reads format %d", n, format)
	}
	return nil
}
