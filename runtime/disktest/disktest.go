// Package disktest makes small disks, for tests of what happens when one is full
// or cannot be written.
package disktest

import (
	"os/exec"
	"testing"
)

// Mount puts an empty disk of a size such as 64k or 160m on a folder, until the
// test and the cleanups that it registers later have ended. Where that is not
// allowed the test is skipped.
func Mount(t testing.TB, dir, size string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+size, "none", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be made here (root may do it): %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
}

// Change changes the disk on a folder: "size=1m", "ro" or "rw".
func Change(t testing.TB, dir, what string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,"+what, dir).CombinedOutput(); err != nil {
		t.Fatalf("remount,%s: %s", what, out)
	}
}
