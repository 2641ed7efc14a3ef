package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/policy"
)

func (a *app) queuesCommand() *cobra.Command {
	var r remote
	var client string
	cmd := &cobra.Command{
		Use: "queues", GroupID: "operate", Args: cobra.NoArgs,
		Short: "Show how full every lane is, and what keeps its messages",
		Long: `Show how full every lane is, and what keeps its messages: a pause, a definition
that is missing, or a connection that is closed, cut off, or used up. Below stand
the connections of which there is something to tell, with a forecast of when what
waits will have gone out.`,
		Example: "  crossdock queues\n  crossdock queues --client acme\n  crossdock queues --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			var lanes []admin.Lane
			q := url.Values{"client": {client}}
			if err := c.Get(cmd.Context(), "/v1/queues", q, &lanes); err != nil {
				return failed(err)
			}
			var connections []policy.Shown
			if err := c.Get(cmd.Context(), "/v1/connections", q, &connections); err != nil {
				return failed(err)
			}
			if r.json {
				return a.printJSON(map[string]any{"lanes": lanes, "connections": connections})
			}
			a.queues(lanes, connections)
			return nil
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&client, "client", "", "only lanes and connections of this client, by its code")
	return cmd
}

func (a *app) queues(lanes []admin.Lane, connections []policy.Shown) {
	rows := [][]string{{"LANE", "READY", "UNDER WAY", "RETRY", "PARKED", "DEAD", "OLDEST", ""}}
	for _, l := range lanes {
		parked := 0
		for _, n := range l.Parked {
			parked += n
		}
		rows = append(rows, []string{l.Lane, strconv.Itoa(l.Ready), strconv.Itoa(l.Leased), strconv.Itoa(l.Delayed),
			strconv.Itoa(parked), strconv.Itoa(l.Dead), age(l.Oldest), short(l.Note, 40)})
	}
	a.table(rows)
	for _, l := range lanes {
		for _, reason := range slices.Sorted(maps.Keys(l.Parked)) {
			fmt.Fprintf(a.Stdout, "%s: %d parked: %s\n", l.Lane, l.Parked[reason], reason)
		}
	}
	for _, c := range connections {
		a.connection(c)
	}
}

// connection prints what is not as usual about a connection.
func (a *app) connection(c policy.Shown) {
	if c.Waiting > 0 {
		fmt.Fprintf(a.Stdout, "%s: all %d calls at a time are under way, %d messages wait for a place\n", c.Name, c.Places, c.Waiting)
	}
	if c.Quota > 0 {
		fmt.Fprintf(a.Stdout, "%s: %d of %d calls of the quota are used\n", c.Name, c.Used, c.Quota)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(a.Stdout, "%s: %s\n", c.Name, n)
	}
}
