// Package mappings holds the contracts that ship with crossdock: the versioned
// schemas of the canonical logistics events. A workspace refers to them as
// std/canonical/<event>@1, or as canonical/<event>@1 where it has none of its
// own.
package mappings

import "embed"

// FS holds the definition files, read-only.
//
//go:embed canonical
var FS embed.FS
