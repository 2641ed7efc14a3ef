package parser

import (
	"os"
	"testing"
)

// BenchmarkParse reads a mapping of ordinary size.
func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/typical.mapping.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if f, list := Parse("typical.mapping.yaml", src); f.Root == nil || len(list) > 0 {
			b.Fatal(list)
		}
	}
}
