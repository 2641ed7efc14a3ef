package embedded

import (
	"runtime/metrics"
	"testing"

	"crossdock/runtime/queue/queuetest"
)

// busy is how many seconds of processor time this process has used, as far as
// the runtime can tell: it leaves out what the system does on its behalf.
func busy() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64() - s[1].Value.Float64()
}

func BenchmarkCycles(b *testing.B) {
	for _, c := range []struct {
		name string
		opts Options
	}{{"fsync", Options{}}, {"process", Options{Durability: Process}}} {
		b.Run(c.name, func(b *testing.B) {
			d, err := Open(b.Context(), b.TempDir(), c.opts)
			if err != nil {
				b.Fatal(err)
			}
			before := busy()
			queuetest.Cycles(b, d)
			b.ReportMetric((busy()-before)/float64(b.N)*1e6, "busy-us/op")
			if err := d.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
