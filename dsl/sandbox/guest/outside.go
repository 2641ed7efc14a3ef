//go:build !wasip1

// Command guest runs nowhere but inside the sandbox; see main.go.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "guest: built for the sandbox with `make sandbox`, not to be run")
	os.Exit(2)
}
