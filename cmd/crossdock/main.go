// Command crossdock keeps ERP, TMS, WMS, carriers and last-mile platforms in
// sync: it runs pipelines that are written as YAML definitions.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &app{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	os.Exit(app.main(ctx, os.Args[1:]))
}
