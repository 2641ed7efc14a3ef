// Command reach measures how far the promises of crossdock carry: each
// measurement runs real processes, prints one line, and fails where a promise was
// broken.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// How the command ends.
const (
	exitBroken = 1
	exitFault  = 2  // the measurement itself failed
	exitSkip   = 77 // this machine cannot run it
)

// errSkip says that this machine cannot run a measurement.
var errSkip = errors.New("skipped")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func command(ctx context.Context, args []string) int {
	if len(args) == 0 {
		usage()
		return exitFault
	}
	for _, m := range measurements {
		if m.name != args[0] {
			continue
		}
		t, err := parse(m, args[1:])
		if err != nil {
			return exitFault // the flags have said why
		}
		err = t.take(ctx)
		switch {
		case errors.Is(err, errSkip):
			fmt.Printf("%s: SKIP: %s\n", m.name, err)
			return exitSkip
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s: %s\n", m.name, err)
			return exitFault
		case !t.result.Kept:
			return exitBroken
		}
		return 0
	}
	usage()
	return exitFault
}

func usage() {
	fmt.Fprintln(os.Stderr, "reach MEASUREMENT [flags], in a checkout of the repository. Measurements:")
	for _, m := range measurements {
		fmt.Fprintf(os.Stderr, "  %-13s %s\n", m.name, m.what)
	}
}
