// Package examples holds the runnable example workspaces, so that the demo
// works from the binary alone.
package examples

import "embed"

// FS holds the examples, one folder each.
//
//go:embed 01-spare-parts
var FS embed.FS
