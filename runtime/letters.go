package runtime

import (
	"context"
	"time"

	"crossdock/runtime/deadletter"
	"crossdock/runtime/worker"
)

// Letters returns what people can do with dead letters.
func (e *Engine) Letters() *deadletter.Box {
	return &deadletter.Box{Driver: e.driver, Live: e.worker.Live, Log: e.log}
}

// keepLetters carries out what people want done with many dead letters, and
// lets those go whose time is over, until ctx ends. One of several replicas
// does so at a time.
func (e *Engine) keepLetters(ctx context.Context) {
	for ctx.Err() == nil {
		err := e.holder.during(ctx, "letters", func(ctx context.Context, _ worker.Apply) error { return e.Letters().Run(ctx) })
		if err != nil && ctx.Err() == nil {
			e.log.Warn("the work on dead letters stopped and is started again", "error", err)
			sleep(ctx, 10*time.Second)
		}
	}
}
