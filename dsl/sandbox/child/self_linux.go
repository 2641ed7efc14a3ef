package child

import "os"

// self is where the program that runs lies, also where the file was replaced
// since. By its own name where that is still true, which people see in lists of
// processes.
func self() (string, error) {
	const running = "/proc/self/exe"
	path, err := os.Readlink(running)
	if err != nil {
		return os.Executable()
	}
	named, err := os.Stat(path)
	if err != nil {
		return running, nil
	}
	itself, err := os.Stat(running)
	if err != nil || !os.SameFile(named, itself) {
		return running, nil
	}
	return path, nil
}
