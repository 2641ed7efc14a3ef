package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"crossdock/dsl/diag"
	"crossdock/runtime"
)

type runFlags struct {
	env, store, http, admin, durability string
	noWatch, unsafe                     bool
	vars                                map[string]string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run [DIR]", GroupID: "run", Args: cobra.MaximumNArgs(1),
		Short: "Run the workspace in DIR and reload it when its files change",
		Long: `Run the workspace in DIR (the current folder unless named) until it is stopped.

Messages are kept in an embedded store below DIR/.crossdock, or on a Redis that
several replicas share. Definitions are reloaded when their files change; a
faulty change leaves the last good revision at work.

Every flag can also be given as a variable: --store as CROSSDOCK_STORE.`,
		Example: `  crossdock run
  crossdock run examples/01-spare-parts --env demo
  crossdock run --store redis://127.0.0.1:6379 --http :8080`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), dir(args), f) },
	}
	cmd.Flags().StringVar(&f.env, "env", "", "environment to run in")
	cmd.Flags().StringVar(&f.store, "store", "", "embedded:PATH, redis://..., rediss://... or memory:")
	cmd.Flags().StringVar(&f.http, "http", "127.0.0.1:8080", "address for webhooks")
	cmd.Flags().StringVar(&f.admin, "admin", "127.0.0.1:8090", "address for status, metrics and operation")
	cmd.Flags().StringVar(&f.durability, "durability", "fsync", "fsync survives power loss, process survives a crash")
	cmd.Flags().BoolVar(&f.noWatch, "no-watch", false, "do not reload when files change")
	cmd.Flags().BoolVar(&f.unsafe, "unsafe", false, "start on a store whose settings break the promises")
	cmd.Flags().StringToStringVar(&f.vars, "var", nil, "value of an environment variable of the workspace, as name=value")
	return cmd
}

func (a *app) run(ctx context.Context, dir string, f runFlags) error {
	log := slog.New(slog.NewJSONHandler(a.Stderr, nil))
	e, err := runtime.New(ctx, runtime.Options{
		Dir: dir, Environment: f.env, Vars: f.vars, Std: std(), Store: f.store, Durability: f.durability,
		HTTP: f.http, Watch: !f.noWatch, Unsafe: f.unsafe, Log: log,
	})
	var list diag.List
	if errors.As(err, &list) {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions are not fit to run")
	}
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if err := e.Run(ctx); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}
