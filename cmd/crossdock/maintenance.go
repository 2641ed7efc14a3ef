package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/spec"
	"crossdock/runtime/admin"
	"crossdock/runtime/policy"
)

func (a *app) maintenanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "maintenance", GroupID: "operate",
		Short: "Close a connection for a while; its messages wait and go on by themselves",
		Example: `  crossdock maintenance start erp --for 2h --reason "patch 7.4"
  crossdock maintenance list
  crossdock maintenance stop erp`,
	}
	cmd.AddCommand(a.maintenanceStart(), a.maintenanceStop(), a.maintenanceList())
	return cmd
}

func (a *app) maintenanceStart() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "start CONNECTION --for TIME", Args: cobra.ExactArgs(1),
		Short: "Hold the messages of a connection, on all replicas, for a length of time",
		Long: `Hold the messages of a connection for a length of time. They are parked, burn no
attempts, and go out when it is over, at the rate that the definition of the
connection names below maintenance. It survives restarts and counts for all
replicas. Started again, it is replaced.`,
		Example: "  crossdock maintenance start erp --for 2h\n  crossdock maintenance start erp --for 1d --let critical,high --reason \"move to the new data centre\"",
	}
	lasts := cmd.Flags().String("for", "", "how long, such as 30m, 2h or 1d")
	reason := cmd.Flags().String("reason", "", "why, for everybody who looks")
	let := cmd.Flags().StringSlice("let", nil, "priorities that are tried all the same, such as critical,high")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, ok := spec.ParseDuration(*lasts)
		if !ok || d < time.Second {
			return fmt.Errorf("say how long it lasts: --for 30m, --for 2h or --for 1d")
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		in := admin.Maintenance{Who: who(), Reason: *reason, Seconds: int64(d / time.Second), Let: *let}
		var m policy.Manual
		if err := c.Post(cmd.Context(), "/v1/connections/"+url.PathEscape(args[0])+"/maintenance", in, &m); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(m)
		}
		fmt.Fprintf(a.Stdout, "%s is closed until %s; end it early with: crossdock maintenance stop %s\n",
			args[0], m.Until.Local().Format("2006-01-02 15:04 MST"), args[0])
		return nil
	}
	r.flags(cmd)
	return cmd
}

func (a *app) maintenanceStop() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "stop CONNECTION", Args: cobra.ExactArgs(1),
		Short:   "End maintenance that was started by hand; what waited goes out",
		Example: "  crossdock maintenance stop erp",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var out map[string]string
		if err := c.Post(cmd.Context(), "/v1/connections/"+url.PathEscape(args[0])+"/maintenance/stop", admin.Maintenance{Who: who()}, &out); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(out)
		}
		fmt.Fprintf(a.Stdout, "%s is open again\n", args[0])
		return nil
	}
	r.flags(cmd)
	return cmd
}

func (a *app) maintenanceList() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short:   "Show which connections are closed, until when, and when what they hold will have gone out",
		Example: "  crossdock maintenance list\n  crossdock maintenance list --json",
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var all []policy.Shown
		if err := c.Get(cmd.Context(), "/v1/connections", nil, &all); err != nil {
			return failed(err)
		}
		closed := []policy.Shown{}
		for _, s := range all {
			if !s.Closed.IsZero() || s.Held > 0 {
				closed = append(closed, s)
			}
		}
		if r.json {
			return a.printJSON(closed)
		}
		if len(closed) == 0 {
			fmt.Fprintln(a.Stdout, "no connection is closed")
		}
		for _, s := range closed {
			fmt.Fprintf(a.Stdout, "%s: %s\n", s.Name, strings.Join(s.Notes, "; "))
		}
		return nil
	}
	r.flags(cmd)
	return cmd
}
