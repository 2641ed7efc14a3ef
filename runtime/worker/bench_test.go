package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/connectors"
	"crossdock/dsl"
	"crossdock/runtime/catalog"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/embedded"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

func load(tb testing.TB, files map[string]string) *dsl.Workspace {
	tb.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New()})
	if err != nil {
		tb.Fatal(err)
	}
	if list.HasErrors() {
		tb.Fatal(list)
	}
	return ws
}

// sink answers as the function says.
type sink func(ctx context.Context, r connectors.Request) (connectors.Response, error)

func (s sink) Deliver(ctx context.Context, r connectors.Request) (connectors.Response, error) {
	return s(ctx, r)
}
func (s sink) Close() error { return nil }

func newWorker(ws *dsl.Workspace, d queue.Driver, s connectors.Sink, opt worker.Options) *worker.Worker {
	w := worker.New(d, slog.New(slog.DiscardHandler), journal.NewMeter(), opt)
	sinks := map[string]connectors.Sink{}
	for name := range ws.Connections {
		sinks[name] = s
	}
	w.Use(&worker.Live{WS: ws, Sinks: sinks})
	return w
}

// BenchmarkWholePath is one order from reception to delivery without HTTP.
func BenchmarkWholePath(b *testing.B) {
	order, err := os.ReadFile("../../bench/order/order.json")
	if err != nil {
		b.Fatal(err)
	}
	ws, list, err := dsl.Load(os.DirFS("../../bench/workspace"), dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		b.Fatal(err, list)
	}
	number := orderNo(b, order)
	for name, open := range map[string]func() queue.Driver{
		"memory": func() queue.Driver { return memory.Open(memory.Options{}) },
		"embedded": func() queue.Driver {
			d, err := embedded.Open(context.Background(), b.TempDir(), embedded.Options{})
			if err != nil {
				b.Fatal(err)
			}
			return d
		},
	} {
		b.Run(name, func(b *testing.B) {
			var next atomic.Int64
			delivered := make(chan struct{}, 1<<16)
			d := open()
			defer d.Close()
			w := newWorker(ws, d, sink(func(_ context.Context, r connectors.Request) (connectors.Response, error) {
				message.Marshal(r.Body)
				delivered <- struct{}{}
				return connectors.Response{Status: 200}, nil
			}), worker.Options{})
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() { defer close(ended); _ = w.Run(ctx) }()
			ch := w.Channel("orders", true)
			b.ReportAllocs()
			b.SetParallelism(32)
			b.ResetTimer()
			go b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					raw := bytes.Replace(order, number, fmt.Appendf(nil, "%s-%d", number, next.Add(1)), 1)
					m := message.Message{Raw: raw, Meta: message.Meta{Source: "http", ReceivedAt: time.Now(), Path: "/orders"}}
					if _, err := ch.Send(ctx, m); err != nil {
						b.Error(err)
					}
				}
			})
			for range b.N {
				<-delivered
			}
			b.StopTimer()
			cancel()
			<-ended
		})
	}
}

// orderNo is the number of the order as it stands in the text.
func orderNo(b *testing.B, raw []byte) []byte {
	var o struct{ OrderNo string }
	if err := json.Unmarshal(raw, &o); err != nil || o.OrderNo == "" {
		b.Fatal(err, o)
	}
	return []byte(o.OrderNo)
}
