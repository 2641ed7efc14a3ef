package sandbox

import (
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// cached returns where the compiled program is kept between processes, for
// compiling it takes seconds: a folder of this user that nobody else can write
// to. nil where there is none; then each process compiles anew.
func cached() wazero.CompilationCache {
	home, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	dir := filepath.Join(home, "crossdock", "sandbox")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !onlyOurs(info) {
		return nil
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil
	}
	return cache
}
