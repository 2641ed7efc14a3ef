package main

import (
	"net/url"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"crossdock/runtime/queue"
)

func (a *app) dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dlq", GroupID: "operate", Short: "Look at, edit, replay and discard dead letters",
		Long: `Dead letters are messages that could not be delivered. They keep what was received,
what was achieved so far and why it ended. A replay goes on at the step that
failed, with the same idempotency keys: nothing that succeeded is sent again.`,
		Example: `  crossdock dlq list --group-by cause
  crossdock dlq show ID
  crossdock dlq replay --group 3f9a1c2b7d10 --dry-run
  crossdock dlq replay --group 3f9a1c2b7d10 --rate 5/s --yes
  crossdock dlq discard ID --reason "test order"`,
	}
	cmd.AddCommand(a.dlqList(), a.dlqBoxes(), a.dlqShow(), a.dlqEdit(), a.dlqReplay(), a.dlqFix(), a.dlqDiscard(),
		a.dlqChanges(), a.dlqStop(), a.dlqResume(), a.dlqRejected())
	return cmd
}

func (a *app) dlqRejected() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "rejected", Args: cobra.NoArgs, Short: "List messages that were refused at the door, newest first",
		Example: "  crossdock dlq rejected\n  crossdock dlq rejected --client acme\n  crossdock dlq rejected --reveal --json"}
	r.flags(cmd)
	client := cmd.Flags().String("client", "", "only those that came to pipelines of this client, by its code")
	reveal := cmd.Flags().Bool("reveal", false, "with what was received, which may hold personal data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var entries []queue.Entry
		if err := c.Get(cmd.Context(), "/v1/history", url.Values{"kind": {"rejected"}, "client": {*client}, "reveal": {strconv.FormatBool(*reveal)}}, &entries); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(entries)
		}
		rows := [][]string{{"TIME", "PIPELINE", "WHY", ""}}
		for _, e := range entries {
			rows = append(rows, []string{e.At.Local().Format("01-02 15:04:05"), short(e.Pipeline, 24), short(e.Detail, 60), shown(e.Data)})
		}
		a.table(rows)
		return nil
	}
	return cmd
}

// shown makes what strangers sent fit for a terminal.
func shown(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	return short(strconv.QuoteToASCII(string(data[:min(len(data), 200)])), 60)
}

// who names the person at the keyboard for the history.
func who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
