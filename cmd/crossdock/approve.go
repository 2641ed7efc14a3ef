package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
)

func (a *app) approveCommand() *cobra.Command {
	var f planFlags
	var reason string
	cmd := &cobra.Command{
		Use: "approve HASH|FILE", GroupID: "operate", Args: cobra.ExactArgs(1),
		Short: "Approve a plan, where the environment asks for it",
		Long: `Approve a plan, so that somebody else may apply it. Who has to approve is said by
` + "`reload: {approve: ...}`" + ` of the environment: the name of a token or person, or a role.
Nothing goes live there but what is approved; ` + "`rollback`" + ` to an earlier revision does.

Both need a token of their own, see ` + "`crossdock token`" + `: the one in the state folder does not
say who uses it. An approval is for one plan, by its hash, and for a week.`,
		Example: "  crossdock approve 3f2a91c07b1e4d5f8a6b0c9d2e7f4a1b --reason \"seen with the client\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			hash := args[0]
			if !planHash.MatchString(hash) {
				p, err := f.find(hash)
				if err != nil {
					return err
				}
				hash = p.Hash
			}
			c, err := f.client()
			if err != nil {
				return err
			}
			var out map[string]string
			if err := c.Post(cmd.Context(), "/v1/approvals", admin.Approving{Who: who(), Plan: hash, Reason: reason}, &out); err != nil {
				return failed(err)
			}
			if f.json {
				return a.printJSON(out)
			}
			fmt.Fprintf(a.Stdout, "approved plan %s; `crossdock apply --plan %s` brings it to life\n", hash, hash)
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}
