package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"time"

	"github.com/itchyny/gojq"
	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"crossdock/bench/order"
	"crossdock/bench/peers"
	"crossdock/bench/report"
	"crossdock/bench/system"
	"crossdock/dsl"
	"crossdock/dsl/cell"
	"crossdock/runtime/catalog"
	"crossdock/runtime/message"
)

// step is one way to do one step of the work.
type step struct {
	name string
	do   func() error
	took []time.Duration
}

// mapping measures the steps of one message in this process, on one core.
func (b *bench) mapping() error {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as crossdock does; for all alike
	ws, list, err := dsl.Load(os.DirFS(filepath.Join(b.root, "bench", "workspace")), dsl.Options{Catalog: catalog.New()})
	if err != nil {
		return err
	}
	if list.HasErrors() {
		return list
	}
	ours := ws.Mappings["order-to-shipment"].Mapping
	theirs, err := bloblang.Parse(peers.Bloblang)
	if err != nil {
		return fmt.Errorf("parse the Bloblang mapping: %w", err)
	}
	jq, err := compileJQ()
	if err != nil {
		return err
	}
	raw := order.Append(nil, 12345)
	exact, err := message.Decode(raw, message.Limits{})
	if err != nil {
		return err
	}
	var binary any
	if err := json.Unmarshal(raw, &binary); err != nil {
		return err
	}
	apply := func(in any) (any, error) { return ours.Apply(&cell.Scope{Ctx: b.ctx, Original: in}, in) }
	runJQ := func(in any) (any, error) { v, _ := jq.RunWithContext(context.Background(), in).Next(); return v, nil }
	// What is only sent is written without being built; it is the same to the byte.
	built, err := apply(exact)
	if err != nil {
		return err
	}
	if written, err := ours.Marshal(&cell.Scope{Ctx: b.ctx, Original: exact}, exact); err != nil || !bytes.Equal(written, message.Marshal(built)) {
		return fmt.Errorf("the shipment is written as %s and built as %s: %w", written, message.Marshal(built), err)
	}
	shipment, err := agree(map[string]func() (any, error){
		"crossdock": func() (any, error) { return apply(exact) },
		"Bloblang":  func() (any, error) { return theirs.Query(binary) },
		"gojq":      func() (any, error) { return runJQ(exact) },
	})
	if err != nil {
		return err
	}
	steps := map[string][]*step{
		"map": {
			{name: "crossdock", do: func() error { _, err := apply(exact); return err }},
			{name: "Bloblang", do: func() error { _, err := theirs.Query(binary); return err }},
			{name: "gojq", do: func() error { _, err := runJQ(exact); return err }},
		},
		"decode": {
			{name: "crossdock", do: func() error { _, err := message.Decode(raw, message.Limits{}); return err }},
			{name: "encoding/json", do: func() error { var v any; return json.Unmarshal(raw, &v) }},
		},
		"encode": {
			{name: "crossdock", do: func() error { message.Marshal(shipment); return nil }},
			{name: "encoding/json", do: func() error { _, err := json.Marshal(shipment); return err }},
			{name: "gojq.Marshal", do: func() error { _, err := gojq.Marshal(shipment); return err }},
		},
		"decode, map, encode": {
			{name: "crossdock", do: func() error {
				v, err := message.Decode(raw, message.Limits{})
				if err != nil {
					return err
				}
				_, err = ours.Marshal(&cell.Scope{Ctx: b.ctx, Original: v}, v)
				return err
			}},
			{name: "Bloblang", do: func() error {
				var v any
				if err := json.Unmarshal(raw, &v); err != nil {
					return err
				}
				out, err := theirs.Query(v)
				if err != nil {
					return err
				}
				_, err = json.Marshal(out)
				return err
			}},
		},
	}
	s := b.report.Section("One message in one process", fmt.Sprintf("An order of %d bytes becomes a shipment: processor time with its share of collecting garbage (GOGC=400 for all). "+
		"Decoding by crossdock keeps numbers exact and refuses duplicate keys; encoding/json does neither.", order.Size()),
		"step", "crossdock", "others", "ratio")
	for _, name := range []string{"map", "decode", "encode", "decode, map, encode"} {
		if err := b.steps(s, name, steps[name]); err != nil {
			return err
		}
	}
	return nil
}

func compileJQ() (*gojq.Code, error) {
	q, err := gojq.Parse(peers.JQ)
	if err != nil {
		return nil, fmt.Errorf("parse the jq mapping: %w", err)
	}
	return gojq.Compile(q)
}

// agree checks that all give the same shipment, to a billionth in numbers.
func agree(all map[string]func() (any, error)) (any, error) {
	want, err := all["crossdock"]()
	if err != nil {
		return nil, fmt.Errorf("map with crossdock: %w", err)
	}
	for name, f := range all {
		got, err := f()
		if err != nil {
			return nil, fmt.Errorf("map with %s: %w", name, err)
		}
		raw, err := json.Marshal(got)
		if err != nil {
			return nil, fmt.Errorf("%s gave no shipment: %w", name, err)
		}
		if err := sameShipment(raw, message.Marshal(want)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return want, nil
}

// steps runs the ways to do one step in turns.
func (b *bench) steps(s *report.Section, name string, ways []*step) error {
	for range b.runs {
		for _, w := range ways {
			d, err := timed(w.do, b.smoke)
			if err != nil {
				return fmt.Errorf("%s with %s: %w", name, w.name, err)
			}
			w.took = append(w.took, d)
		}
	}
	own := report.Median(ways[0].took)
	for i, w := range ways[1:] {
		t := report.Median(w.took)
		first, mine := name, report.Micros(own)
		if i > 0 {
			first, mine = "", ""
		}
		s.Row(first, mine, w.name+" "+report.Micros(t), fmt.Sprintf("%.1f", float64(t)/float64(own)))
		b.log("%s: crossdock %s, %s %s", name, report.Micros(own), w.name, report.Micros(t))
	}
	return nil
}

// timed returns the processor time of one call, collecting garbage included.
// On a machine that is shared it is steadier than the time that passes.
func timed(do func() error, short bool) (time.Duration, error) {
	least := time.Second
	if short {
		least = 10 * time.Millisecond
	}
	goruntime.GC()
	for n := 64; ; n *= 2 {
		began, cpu := time.Now(), system.OwnCPU()
		for range n {
			if err := do(); err != nil {
				return 0, err
			}
		}
		if time.Since(began) >= least {
			return (system.OwnCPU() - cpu) / time.Duration(n), nil
		}
	}
}
