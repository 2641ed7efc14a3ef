package editor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl/dsltest"
	"crossdock/editor"
	"crossdock/runtime/catalog"
)

// BenchmarkEdit types into one mapping of a workspace with 300 of them and looks
// at the findings, as an editor does at each letter.
func BenchmarkEdit(b *testing.B) {
	dir := b.TempDir()
	files := dsltest.Base(b, "../dsl/testdata")
	mapping := files["order-to-shipment.mapping.yaml"]
	for i := range 300 {
		files[fmt.Sprintf("more/m%d.mapping.yaml", i)] = strings.Replace(strings.Replace(mapping, "order-to-shipment", fmt.Sprintf("m%d", i), 1), "[order.json]", "[../order.json]", 1)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	f := editor.Open(dir, editor.Options{Catalog: catalog.New()})
	if _, err := f.State(); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		f.Edit("more/m7.mapping.yaml", []byte(strings.Replace(mapping, "order-to-shipment", "m7", 1)+strings.Repeat("#", i%9)+"\n"))
		if _, err := f.State(); err != nil {
			b.Fatal(err)
		}
	}
}
