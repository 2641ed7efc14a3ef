//go:build !unix

package reload

import "io/fs"

func inode(fs.FileInfo) string { return "" }
