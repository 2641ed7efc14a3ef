package shrink

import (
	"slices"
	"testing"
)

func TestSmallestKeepsWhatIsNeeded(t *testing.T) {
	list := make([]int, 37)
	for i := range list {
		list[i] = i
	}
	calls := 0
	got, err := Smallest(list, func(some []int) (bool, error) {
		calls++
		return slices.Contains(some, 3) && slices.Contains(some, 29), nil
	})
	if err != nil || !slices.Equal(got, []int{3, 29}) {
		t.Fatalf("got %v %v", got, err)
	}
	if calls > 200 {
		t.Errorf("%d calls", calls)
	}
}
