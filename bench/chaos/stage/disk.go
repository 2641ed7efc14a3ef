package stage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

// Disk is where the store keeps its data: a plain folder, a tmpfs that can be
// filled, or an ext4 on a loop device whose power can be cut.
type Disk struct {
	Kind, Dir string
	image     string
	mounted   bool
}

// smallDisk leaves the embedded store, which stops taking in work below 256 MiB
// of free space, enough room as long as no ballast lies on it.
const smallDisk = "640m"

// CanMount reports whether file systems can be mounted here, and why not.
func CanMount() error {
	if os.Geteuid() != 0 {
		return errors.New("not root: no small disks and no power cuts")
	}
	if out, err := exec.Command("losetup", "-f").CombinedOutput(); err != nil {
		return fmt.Errorf("no loop device: no power cuts (losetup -f: %s)", out)
	}
	return nil
}

func newDisk(kind, dir string) (*Disk, error) {
	d := &Disk{Kind: kind, Dir: filepath.Join(dir, "disk")}
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the disk: %w", err)
	}
	switch kind {
	case "small":
		if err := command("mount", "-t", "tmpfs", "-o", "size="+smallDisk, "tmpfs", d.Dir); err != nil {
			return nil, err
		}
		d.mounted = true
	case "loop":
		d.image = filepath.Join(dir, "disk.img")
		f, err := os.Create(d.image)
		if err != nil {
			return nil, fmt.Errorf("make the disk: %w", err)
		}
		if err := errors.Join(f.Truncate(1<<30), f.Close()); err != nil {
			return nil, fmt.Errorf("make the disk: %w", err)
		}
		if err := command("mkfs.ext4", "-q", "-F", d.image); err != nil {
			return nil, err
		}
		if err := d.mount(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Disk) mount() error {
	if err := command("mount", "-o", "loop", d.image, d.Dir); err != nil {
		return err
	}
	d.mounted = true
	return nil
}

// cut is a power cut as far as the file system sees it: nothing that is not on
// the disk comes there any more, not even its journal.
func (d *Disk) cut() error {
	const ext4Shutdown, withoutFlush = 0x8004587D, 2
	f, err := os.Open(d.Dir)
	if err != nil {
		return fmt.Errorf("cut the power: %w", err)
	}
	defer f.Close()
	flag := uint32(withoutFlush)
	if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), ext4Shutdown, uintptr(unsafe.Pointer(&flag))); no != 0 {
		return fmt.Errorf("cut the power: %w", no)
	}
	return nil
}

// again mounts what survived. Nobody may have a file open.
func (d *Disk) again() error {
	if err := d.unmount(); err != nil {
		return err
	}
	return d.mount()
}

func (d *Disk) unmount() error {
	if !d.mounted {
		return nil
	}
	var err error
	for range 50 {
		if err = command("umount", d.Dir); err == nil {
			d.mounted = false
			return nil
		}
		time.Sleep(100 * time.Millisecond) // a process that was killed lets its files go
	}
	return err
}

// fill leaves hardly any room; the function that is returned makes room again.
func (d *Disk) fill() (heal func(), err error) {
	ballast := filepath.Join(d.Dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		return nil, fmt.Errorf("fill the disk: %w", err)
	}
	defer f.Close()
	const left = 16 << 20
	for range 20 { // crossdock writes meanwhile: what was free may be taken
		var s syscall.Statfs_t
		if err = syscall.Statfs(d.Dir, &s); err != nil {
			break
		}
		if err = syscall.Fallocate(int(f.Fd()), 0, 0, max(1, int64(s.Bavail)*s.Bsize-left)); !errors.Is(err, syscall.ENOSPC) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill the disk: %w", err), os.Remove(ballast))
	}
	return func() { _ = os.Remove(ballast) }, nil // what cannot be removed shows as messages that stay open
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
