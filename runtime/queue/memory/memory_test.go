package memory_test

import (
	"testing"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/queue/queuetest"
)

func TestConformance(t *testing.T) {
	queuetest.Exercise(t, queuetest.Harness{
		Open:     func(*testing.T) queue.Driver { return memory.Open(memory.Options{}) },
		Features: queuetest.Features{Hints: true},
	})
}
