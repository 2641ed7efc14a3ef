// Package mappings holds the library that ships with crossdock: the versioned
// schemas of the canonical logistics events, and code tables that belong to
// nobody. A workspace refers to them as std/canonical/<event>@1 and
// std/<table>, or without std/ where it has none of that name itself.
package mappings

import "embed"

// FS holds the definition files, read-only.
//
//go:embed canonical codes
var FS embed.FS
