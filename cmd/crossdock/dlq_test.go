package main

import (
	"errors"
	"fmt"
	"testing"
)

// TestPages: a list reads on until it has enough, gives up where little is found,
// and reads all where that is wanted.
func TestPages(t *testing.T) {
	const all = 95 // pages
	for _, c := range []struct {
		name        string
		most        int
		each        int // found on each page, if so many are asked for
		read, found int
		more        bool
	}{
		{"enough on one page", 100, 1000, 1, 100, true},
		{"enough after some", 100, 30, 4, 100, true},
		{"little, and as much as that", 100, 3, 10, 30, true},
		{"nothing", 100, 0, 10, 0, true},
		{"all of it", 0, 3, all, 3 * all, false},
	} {
		read, found := 0, 0
		next, err := pages(c.most, 500, func(after string, size int) (int, string, error) {
			if want := fmt.Sprint(read); read > 0 && after != want || read == 0 && after != "" {
				t.Errorf("%s: page %d was read behind %q", c.name, read, after)
			}
			n := min(size, c.each)
			read, found = read+1, found+n
			if read == all {
				return n, "", nil
			}
			return n, fmt.Sprint(read), nil
		})
		if err != nil || read != c.read || found != c.found || (next != "") != c.more {
			t.Errorf("%s: %d pages with %d, next %q, %v", c.name, read, found, next, err)
		}
	}
	broken := errors.New("broken")
	if _, err := pages(1, 1, func(string, int) (int, string, error) { return 0, "x", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
