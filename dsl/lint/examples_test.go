package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/lint"
	"crossdock/mappings"
	"crossdock/runtime/catalog"
)

// TestExamples lints the workspaces that come with crossdock: neither errors
// nor warnings.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/crossdock.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, d := range dirs {
		dir := filepath.Dir(d)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			_, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New(), Std: mappings.FS, AnyEnvironment: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				t.Errorf("%s: %s %s: %s", f.Span, f.Severity, f.Code, f.Message)
			}
		})
	}
}

// TestLibrary judges the library that comes with crossdock as if it were a
// workspace of its own.
func TestLibrary(t *testing.T) {
	_, list, err := dsl.Load(mappings.FS, dsl.Options{Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		t.Errorf("%s: %s %s: %s", f.Span, f.Severity, f.Code, f.Message)
	}
}

// large returns a workspace of about n files: clients with their own order
// pipeline, mapping, schema, sample and lookup.
func large(n int) fstest.MapFS {
	fsys := folder(lint.Context())
	add := func(path, format string, args ...any) {
		fsys[path] = &fstest.MapFile{Data: fmt.Appendf(nil, format, args...)}
	}
	for i := range n / 5 {
		dir := fmt.Sprintf("clients/c%04d/", i)
		add(dir+"order.schema.yaml", "schema: c%d/order@1\nfields:\n  number: {type: string, required: true}\n  level: {type: string, required: true}\n"+
			"  at: {type: string}\n  hazmat: {type: boolean}\n  lines[].sku: {type: string, required: true}\n  lines[].qty: {type: integer}\n  lines[].price: {type: decimal(2), required: true}\n", i)
		add(dir+"levels.lookup.yaml", "lookup: c%d-levels\non_miss: error\nrows: {A: GROUND, B: EXPRESS}\n", i)
		add(dir+"order.json", `{"number": "N-%d", "level": "A", "at": "20260516", "lines": [{"sku": "X", "qty": 2, "price": 1.10}]}`, i)
		add(dir+"to-shipment.mapping.yaml", "mapping: c%d-to-shipment\ninput: c%d/order@1\noutput: tms/shipment@1\nsamples: [order.json]\nfields:\n  reference: .number\n"+
			"  service: {from: .level, lookup: c%d-levels}\n  deliver_on: {from: .at, type: date, parse: yyyyMMdd}\n  hazmat: {from: .hazmat, default: false}\n"+
			"  total: '[.lines[] | exact_mul(.price; .qty // 1)] | exact_sum'\n  pieces: '[.lines[].qty] | add'\n  consignee.name: |\n    \"\\(.number) \\(.lines[0].sku)\"\n", i, i, i)
		add(dir+"orders.pipeline.yaml", "pipeline: c%d-orders\ntrigger: {http: {path: /hooks/c%d/orders, verify: erp-hmac}}\naccept: c%d/order@1\nkey: [.number]\norder_by: .number\n"+
			"steps:\n  - map: c%d-to-shipment\n  - {send: tms.create, as: created}\n  - route:\n      pick: first\n      rules:\n"+
			"        - {name: express, when: data.service == \"EXPRESS\", to: [{send: tms.cancel, with: {shipment: $steps.created.shipmentId}}]}\n      otherwise: ignore\n", i, i, i, i)
	}
	return fsys
}

// TestLarge keeps lint fast enough to run on every save.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	fsys := large(1000)
	began := time.Now()
	list := load(t, fsys)
	took := time.Since(began)
	if len(list) > 0 {
		t.Errorf("%d findings, the first one: %s", len(list), list)
	}
	t.Logf("%d files in %s", len(fsys), took)
	if took > 20*time.Second {
		t.Errorf("%d files took %s", len(fsys), took) // a machine under load is slow, a quadratic rule slower
	}
}

// BenchmarkRun measures the rules alone, on a workspace of 1000 files.
func BenchmarkRun(b *testing.B) {
	fsys := large(1000)
	opt := dsl.Options{Catalog: catalog.New()}
	ws, found, err := compile.Load(fsys, compile.Options{Catalog: opt.Catalog})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		lint.Run(lint.Input{Workspace: ws, Found: found, Catalog: opt.Catalog, Files: fsys})
	}
}

// BenchmarkEdit measures what `lint --watch` does on a save: one mapping of a
// workspace of 1000 files changes, and everything is checked again.
func BenchmarkEdit(b *testing.B) {
	fsys := large(1000)
	const path = "clients/c0007/to-shipment.mapping.yaml"
	text := fsys[path].Data
	opt := dsl.Options{Catalog: catalog.New(), AnyEnvironment: true, Cache: &dsl.Cache{}}
	if _, _, err := dsl.Load(fsys, opt); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		fsys[path] = &fstest.MapFile{Data: append([]byte(fmt.Sprintf("# %d\n", i)), text...)}
		if i%2 == 1 {
			fsys[path].Data = []byte(strings.Replace(string(text), ".number", ".nummer", 1))
		}
		_, list, err := dsl.Load(fsys, opt)
		if err != nil || len(list) != i%2 {
			b.Fatalf("%v, %d findings: %s", err, len(list), list)
		}
	}
}
