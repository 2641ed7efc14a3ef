//go:build !unix

package sandbox

import "io/fs"

// onlyOurs trusts the folders of a user where rights are not in the mode.
func onlyOurs(fs.FileInfo) bool { return true }
