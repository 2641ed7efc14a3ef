//go:build unix

package reload

import (
	"io/fs"
	"strconv"
	"syscall"
)

// inode tells files apart that were swapped with equal size and time.
func inode(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(uint64(st.Ino), 10)
	}
	return ""
}
