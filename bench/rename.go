package main

import (
	"fmt"
	"strings"
)

// renamed makes copy i of a definition with names of its own.
func renamed(text string, i int, full bool) string {
	pairs := []string{
		"pipeline: orders\n", fmt.Sprintf("pipeline: orders-%d\n", i),
		"path: /orders", fmt.Sprintf("path: /orders-%d", i),
		"order-to-shipment", fmt.Sprintf("order-to-shipment-%d", i),
	}
	if full {
		pairs = append(pairs,
			"lookup: units", fmt.Sprintf("lookup: units-%d", i),
			"connection: target\n", fmt.Sprintf("connection: target-%d\n", i),
			"send: target.", fmt.Sprintf("send: target-%d.", i))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
