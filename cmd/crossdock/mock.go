package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"crossdock/runtime/partner"
)

func (a *app) mockCommand() *cobra.Command {
	var env string
	var faults []string
	cmd := &cobra.Command{
		Use: "mock [DIR]", GroupID: "run", Args: cobra.MaximumNArgs(1),
		Short: "Play every partner of a workspace from its stubs",
		Long: `Serve every http connection of the workspace on the address that its base_url
names, which must be on this machine. Operations answer what their ` + "`stub:`" + ` says;
those with ` + "`repeat: keyed`" + ` remember idempotency keys.

Each partner can be looked at and made to fail while it runs:
  curl http://127.0.0.1:9102/_mock
  curl http://127.0.0.1:9102/_mock -d '{"operation":"create_shipment","answers":["503","timeout"]}'`,
		Example: "  crossdock mock examples/01-spare-parts\n  crossdock mock --fault tms.create_shipment=503,reset",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.mock(cmd.Context(), dir(args), env, faults) },
	}
	cmd.Flags().StringVar(&env, "env", "", "environment whose addresses are served")
	cmd.Flags().StringArrayVar(&faults, "fault", nil, "first answers of an operation, as connection.operation=503,timeout,reset")
	return cmd
}

func (a *app) mock(ctx context.Context, dir, env string, faults []string) error {
	ws, list, err := load(dir, env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions have errors")
	}
	stage, err := partner.Open(ws, false)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	for _, f := range faults {
		ref, words, ok := strings.Cut(f, "=")
		op := ws.Operation(ref)
		if !ok || op == nil {
			return fmt.Errorf("--fault %s names no operation; write connection.operation=503,timeout", f)
		}
		stage.Partners[op.Connection].Fail(op.Name, strings.Split(words, ",")...)
	}
	if len(stage.Partners) == 0 {
		return failf(exitLoad, "there is no partner to play in %s: the workspace has no connection of the type http", dir)
	}
	var mu sync.Mutex
	for _, name := range sorted(stage.Partners) {
		fmt.Fprintf(a.Stdout, "%-16s %s\n", name, stage.Addrs[name])
		stage.Partners[name].Seen = func(c partner.Call) {
			mu.Lock()
			defer mu.Unlock()
			note := ""
			if c.Repeat {
				note = "  repeat, nothing done"
			}
			fmt.Fprintf(a.Stdout, "%s  %-32s %d%s\n", c.At.Format("15:04:05.000"), c.Operation, c.Status, note)
		}
	}
	if err := stage.Serve(ctx); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}
