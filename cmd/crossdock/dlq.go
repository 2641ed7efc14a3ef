package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"sort"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
)

func (a *app) dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dlq", GroupID: "operate", Short: "Look at, edit, replay and discard dead letters",
		Long: `Dead letters are messages that could not be delivered. They keep what was received,
what was achieved so far and why it ended. A replay goes on at the step that
failed, with the same idempotency keys: nothing that succeeded is sent again.`,
		Example: "  crossdock dlq list --group\n  crossdock dlq show ID\n  crossdock dlq replay ID\n  crossdock dlq discard ID --reason \"test order\"",
	}
	cmd.AddCommand(a.dlqList(), a.dlqShow(), a.dlqEdit(), a.dlqReplay(), a.dlqDiscard(), a.dlqRejected())
	return cmd
}

func (a *app) dlqList() *cobra.Command {
	var r remote
	var box, pipeline string
	var group bool
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List dead letters, oldest first, or by cause",
		Example: "  crossdock dlq list --box delivery\n  crossdock dlq list --group"}
	r.flags(cmd)
	cmd.Flags().StringVar(&box, "box", "", "only this box")
	cmd.Flags().StringVar(&pipeline, "pipeline", "", "only this pipeline")
	cmd.Flags().BoolVar(&group, "group", false, "count by cause")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		letters, err := a.letters(cmd, &r, url.Values{"box": {box}, "pipeline": {pipeline}})
		if err != nil {
			return err
		}
		if r.json {
			return a.printJSON(letters)
		}
		if len(letters) == 0 {
			fmt.Fprintln(a.Stdout, "no dead letters")
			return nil
		}
		if group {
			a.groups(letters)
			return nil
		}
		rows := [][]string{{"ID", "DIED", "PIPELINE", "STEP", "WHY"}}
		for _, l := range letters {
			rows = append(rows, []string{l.ID, l.DeadAt.Local().Format("01-02 15:04:05"), short(l.Pipeline, 18), short(l.Step, 20), short(l.Reason, 60)})
		}
		a.table(rows)
		return nil
	}
	return cmd
}

// letters reads all pages of dead letters.
func (a *app) letters(cmd *cobra.Command, r *remote, q url.Values) ([]deadletter.Letter, error) {
	c, err := r.client()
	if err != nil {
		return nil, err
	}
	all := []deadletter.Letter{}
	for {
		var page admin.DeadPage
		if err := c.Get(cmd.Context(), "/v1/dead", q, &page); err != nil {
			return nil, failed(err)
		}
		all = append(all, page.Letters...)
		if page.Next == "" {
			return all, nil
		}
		q.Set("after", page.Next)
	}
}

func (a *app) groups(letters []deadletter.Letter) {
	count := map[string]int{}
	first := map[string]deadletter.Letter{}
	var order []string
	for _, l := range letters {
		if count[l.Group] == 0 {
			first[l.Group] = l
			order = append(order, l.Group)
		}
		count[l.Group]++
	}
	sort.SliceStable(order, func(i, j int) bool { return count[order[i]] > count[order[j]] })
	rows := [][]string{{"COUNT", "GROUP", "PIPELINE", "STEP", "FOR EXAMPLE"}}
	for _, g := range order {
		l := first[g]
		rows = append(rows, []string{strconv.Itoa(count[g]), g, short(l.Pipeline, 20), short(l.Step, 24), short(l.Reason, 60)})
	}
	a.table(rows)
}

func (a *app) dlqShow() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "show ID", Args: cobra.ExactArgs(1), Short: "Show one dead letter with its payload and cause",
		Example: "  crossdock dlq show ID\n  crossdock dlq show ID --reveal"}
	r.flags(cmd)
	reveal := cmd.Flags().Bool("reveal", false, "show personal data instead of masking it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		l, err := a.letter(cmd, &r, args[0], *reveal)
		if err != nil {
			return err
		}
		return a.printJSON(l)
	}
	return cmd
}

func (a *app) letter(cmd *cobra.Command, r *remote, id string, reveal bool) (deadletter.Letter, error) {
	var l deadletter.Letter
	c, err := r.client()
	if err != nil {
		return l, err
	}
	err = c.Get(cmd.Context(), "/v1/dead/"+url.PathEscape(id), url.Values{"reveal": {strconv.FormatBool(reveal)}}, &l)
	return l, failed(err)
}

func (a *app) dlqEdit() *cobra.Command {
	var r remote
	var in, reason string
	cmd := &cobra.Command{Use: "edit ID --reason WHY", Args: cobra.ExactArgs(1),
		Short: "Change the payload of a dead letter, in $EDITOR or from a file",
		Long: `Change the payload of a dead letter at the step that failed. The original is kept
in the history with who changed it and why. Replay it afterwards.`,
		Example: "  crossdock dlq edit ID --reason \"street was missing\"\n  crossdock dlq edit ID --in fixed.json --reason \"street was missing\""}
	r.flags(cmd)
	cmd.Flags().StringVar(&in, "in", "", "file with the new payload, - for standard input")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is changed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if reason == "" {
			return fmt.Errorf("say why: --reason")
		}
		payload, err := a.newPayload(cmd, &r, args[0], in)
		if err != nil {
			return err
		}
		return a.change(cmd, &r, args[0], "edit", admin.Change{Who: who(), Reason: reason, Payload: payload})
	}
	return cmd
}

func (a *app) newPayload(cmd *cobra.Command, r *remote, id, in string) ([]byte, error) {
	switch in {
	case "":
		return a.inEditor(cmd, r, id)
	case "-":
		raw, err := io.ReadAll(a.Stdin)
		if err != nil {
			return nil, failf(exitLoad, "standard input cannot be read")
		}
		return raw, nil
	}
	raw, err := os.ReadFile(in)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read", in)
	}
	return raw, nil
}

// inEditor lets a person change the payload.
func (a *app) inEditor(cmd *cobra.Command, r *remote, id string) ([]byte, error) {
	editor := a.Getenv("EDITOR")
	if editor == "" {
		return nil, failf(exitUsage, "set EDITOR, or give the new payload with --in")
	}
	l, err := a.letter(cmd, r, id, true)
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(l.Payload, "", "  ")
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	if l.Payload == nil {
		raw = []byte(l.Raw)
	}
	f, err := os.CreateTemp("", "crossdock-*.json")
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(raw); err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	if err := f.Close(); err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	edit := exec.Command("sh", "-c", editor+` "$1"`, "sh", f.Name())
	edit.Stdin, edit.Stdout, edit.Stderr = a.Stdin, a.Stdout, a.Stderr
	if err := edit.Run(); err != nil {
		return nil, failf(exitLoad, "the editor ended with an error; nothing was changed")
	}
	return os.ReadFile(f.Name())
}

// change posts a change of one dead letter.
func (a *app) change(cmd *cobra.Command, r *remote, id, what string, c admin.Change) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	var out map[string]string
	if err := client.Post(cmd.Context(), "/v1/dead/"+url.PathEscape(id)+"/"+what, c, &out); err != nil {
		return failf(exitFindings, "%s: %s", id, failed(err))
	}
	if r.json {
		return a.printJSON(map[string]string{"id": id, "done": what})
	}
	fmt.Fprintf(a.Stdout, "%s: %s done\n", id, what)
	return nil
}

func (a *app) dlqReplay() *cobra.Command {
	var r remote
	var group string
	var dry bool
	cmd := &cobra.Command{Use: "replay ID... | replay --group GROUP", Short: "Send dead letters back to the step that failed",
		Example: "  crossdock dlq replay ID\n  crossdock dlq replay --group 3f9a1c2b7d10 --dry-run"}
	r.flags(cmd)
	cmd.Flags().StringVar(&group, "group", "", "all dead letters of this cause (see dlq list --group)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say which ones")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ids := args
		if group != "" {
			letters, err := a.letters(cmd, &r, url.Values{"group": {group}})
			if err != nil {
				return err
			}
			for _, l := range letters {
				ids = append(ids, l.ID)
			}
		}
		if len(ids) == 0 {
			return fmt.Errorf("say which: one or more IDs, or --group")
		}
		left := 0
		for _, id := range ids {
			if dry {
				fmt.Fprintf(a.Stdout, "%s would be replayed\n", id)
				continue
			}
			if err := a.change(cmd, &r, id, "replay", admin.Change{Who: who()}); err != nil {
				if group == "" {
					return err
				}
				left++ // the others of the group may well go
				fmt.Fprintf(a.Stderr, "crossdock: %s\n", err)
			}
		}
		if left > 0 {
			return failf(exitFindings, "%d of %d stay dead letters", left, len(ids))
		}
		return nil
	}
	return cmd
}

func (a *app) dlqDiscard() *cobra.Command {
	var r remote
	var reason string
	cmd := &cobra.Command{Use: "discard ID... --reason WHY", Args: cobra.MinimumNArgs(1), Short: "End dead letters for good; the history keeps who and why",
		Example: "  crossdock dlq discard ID --reason \"test order\""}
	r.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why they are discarded")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if reason == "" {
			return fmt.Errorf("say why: --reason")
		}
		for _, id := range args {
			if err := a.change(cmd, &r, id, "discard", admin.Change{Who: who(), Reason: reason}); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func (a *app) dlqRejected() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "rejected", Args: cobra.NoArgs, Short: "List messages that were refused at the door, newest first",
		Example: "  crossdock dlq rejected\n  crossdock dlq rejected --reveal --json"}
	r.flags(cmd)
	reveal := cmd.Flags().Bool("reveal", false, "with what was received, which may hold personal data")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var entries []struct {
			Message, Pipeline, Detail string
			At                        time.Time
			Data                      []byte
		}
		if err := c.Get(cmd.Context(), "/v1/history", url.Values{"kind": {"rejected"}, "reveal": {strconv.FormatBool(*reveal)}}, &entries); err != nil {
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
