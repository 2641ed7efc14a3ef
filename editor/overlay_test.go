package editor

import (
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
)

// TestOverlayIsReadInParallel: definitions are loaded by several at once; the
// race detector looks on.
func TestOverlayIsReadInParallel(t *testing.T) {
	disk := fstest.MapFS{}
	for i := range 50 {
		disk[fmt.Sprintf("s%d.json", i)] = &fstest.MapFile{Data: []byte(fmt.Sprint(i))}
	}
	o := newOverlay(disk)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				if raw, err := o.ReadFile(fmt.Sprintf("s%d.json", i)); err != nil || string(raw) != fmt.Sprint(i) {
					t.Errorf("%d: %s %v", i, raw, err)
				}
			}
		})
	}
	wg.Wait()
}
