package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/spec"
	"crossdock/runtime/access"
	"crossdock/runtime/admin"
)

func (a *app) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", GroupID: "operate", Short: "Make, list and revoke tokens of the admin API",
		Long: `Tokens let people and machines use the admin API. What a token may do is its role:

  viewer    look at what runs; personal data is masked
  operator  also pause, resume, replay and discard
  editor    also change definitions and payloads
  admin     also tokens, the audit log and profiles

To see personal data a token needs --reveal besides. A name can have two tokens at
a time: make the new one, bring it into use, revoke the old one.`,
		Example: "  crossdock token create --role operator --name ci\n  crossdock token list\n  crossdock token revoke ci",
	}
	cmd.AddCommand(a.tokenCreate(), a.tokenList(), a.tokenRevoke())
	return cmd
}

func (a *app) tokenCreate() *cobra.Command {
	var r remote
	var g access.Grant
	var role, expires string
	cmd := &cobra.Command{Use: "create --name NAME --role ROLE", Args: cobra.NoArgs, Short: "Make a token; it is shown this once",
		Example: "  crossdock token create --role operator --name ci\n  crossdock token create --role viewer --reveal --name anna --expires 90d"}
	r.flags(cmd)
	cmd.Flags().StringVar(&g.Name, "name", "", "who or what uses it")
	cmd.Flags().StringVar(&role, "role", "", "viewer, operator, editor or admin")
	cmd.Flags().BoolVar(&g.Reveal, "reveal", false, "may see the personal data in payloads")
	cmd.Flags().StringVar(&expires, "expires", "", "how long it is good, such as 90d; until it is revoked unless given")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		switch {
		case g.Name == "":
			return fmt.Errorf("say who or what uses it: --name ci")
		case role == "":
			return fmt.Errorf("say what it may do: --role viewer, operator, editor or admin")
		}
		if g.Role, err = access.ParseRole(role); err != nil {
			return fmt.Errorf("--role: %w", err)
		}
		if expires != "" {
			var ok bool
			if g.For, ok = spec.ParseDuration(expires); !ok || g.For <= 0 {
				return fmt.Errorf("--expires: `%s` is not a length of time such as 12h or 90d", expires)
			}
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		var made admin.NewToken
		if err := c.Post(cmd.Context(), "/v1/tokens", g, &made); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(made)
		}
		fmt.Fprintln(a.Stdout, made.Text)
		fmt.Fprintf(a.Stderr, "This token of %s with the role %s is not shown again. Use it with --token or CROSSDOCK_TOKEN.\n", made.Name, made.Role)
		return nil
	}
	return cmd
}

func (a *app) tokenList() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List tokens: what they may do, and when they were used",
		Example: "  crossdock token list\n  crossdock token list --json"}
	r.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var list []access.Token
		if err := c.Get(cmd.Context(), "/v1/tokens", nil, &list); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(list)
		}
		if len(list) == 0 {
			fmt.Fprintln(a.Stdout, "no tokens but the one in the state folder")
			return nil
		}
		rows := [][]string{{"ID", "NAME", "ROLE", "REVEAL", "CREATED", "EXPIRES", "LAST USED"}}
		for _, t := range list {
			reveal := ""
			if t.Reveal {
				reveal = "yes"
			}
			rows = append(rows, []string{t.ID, short(t.Name, 24), t.Role.String(), reveal, day(t.Created), day(t.Expires), minute(t.LastUsed)})
		}
		a.table(rows)
		return nil
	}
	return cmd
}

func (a *app) tokenRevoke() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "revoke NAME|ID", Args: cobra.ExactArgs(1), Short: "End a token at once",
		Example: "  crossdock token revoke ci\n  crossdock token revoke 3f9a1c2b7d10"}
	r.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var gone access.Token
		if err := c.Post(cmd.Context(), "/v1/tokens/"+url.PathEscape(args[0])+"/revoke", nil, &gone); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(gone)
		}
		fmt.Fprintf(a.Stdout, "%s: the token %s is revoked\n", gone.Name, gone.ID)
		return nil
	}
	return cmd
}

// day prints the day of a time, nothing where there is none.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateOnly)
}

// minute prints a time to the minute, "never" where there is none.
func minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
