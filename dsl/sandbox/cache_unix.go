//go:build unix

package sandbox

import (
	"io/fs"
	"os"
	"syscall"
)

// onlyOurs reports whether nobody else can write into a folder.
func onlyOurs(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
