package runtime

import (
	"context"
	"time"
)

// quiet is how long nothing may have been loaded before memory is given back.
const quiet = 5 * time.Second

// tidy calls free once nothing has been loaded for a while. Giving memory back
// collects all garbage and takes the pages away that messages are about to use:
// requests would feel it if each of many reloads did so.
func tidy(ctx context.Context, loaded <-chan struct{}, free func()) {
	wait := time.NewTimer(quiet)
	wait.Stop()
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-loaded:
			wait.Reset(quiet)
		case <-wait.C:
			free()
		}
	}
}

// untidy says that loading has left something behind.
func (e *Engine) untidy() {
	select {
	case e.loaded <- struct{}{}:
	default: // it is known already
	}
}
