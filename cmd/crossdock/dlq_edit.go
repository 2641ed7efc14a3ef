package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
)

func (a *app) dlqEdit() *cobra.Command {
	var r remote
	var in, reason string
	cmd := &cobra.Command{Use: "edit ID --reason WHY", Args: cobra.ExactArgs(1),
		Short: "Change the payload of a dead letter, in $EDITOR or from a file",
		Long: `Change the payload of a dead letter at the step that failed. It must satisfy the
schema that the pipeline accepts. What differs is shown; the original is kept in
the history with who changed it and why. Replay it afterwards.

Personal data is masked, in the editor as in ` + "`dlq show`" + `, and what is masked stays as
it is. To change it, write the value, or use --reveal.`,
		Example: "  crossdock dlq edit ID --reason \"street was missing\"\n  crossdock dlq edit ID --in fixed.json --reason \"street was missing\""}
	r.flags(cmd)
	cmd.Flags().StringVar(&in, "in", "", "file with the new payload, - for standard input")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is changed")
	reveal := cmd.Flags().Bool("reveal", false, "show personal data instead of masking it")
	dry := cmd.Flags().Bool("dry-run", false, "only show what would differ")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if reason == "" {
			return fmt.Errorf("say why: --reason")
		}
		payload, err := a.newPayload(cmd, &r, args[0], in, *reveal)
		if err != nil {
			return err
		}
		if !json.Valid(payload) {
			_, err := message.Decode(payload, message.Limits{})
			return failf(exitFindings, "the new payload is not JSON: %s", err)
		}
		if err := a.showEdit(cmd, &r, args[0], payload, *reveal, *dry); err != nil || *dry {
			return err
		}
		return a.change(cmd, &r, args[0], "edit", admin.Change{Who: who(), Reason: reason, Payload: payload})
	}
	return cmd
}

func (a *app) newPayload(cmd *cobra.Command, r *remote, id, in string, reveal bool) ([]byte, error) {
	switch in {
	case "":
		return a.inEditor(cmd, r, id, reveal)
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
func (a *app) inEditor(cmd *cobra.Command, r *remote, id string, reveal bool) ([]byte, error) {
	editor := a.Getenv("EDITOR")
	if editor == "" {
		return nil, failf(exitUsage, "set EDITOR, or give the new payload with --in")
	}
	l, err := a.letter(cmd, r, id, reveal)
	if err != nil {
		return nil, err
	}
	if l.Payload == nil && l.Raw == mask.Hidden {
		return nil, failf(exitFindings, "what was received could not be read, and may hold personal data: edit it with --reveal, or give the new payload with --in")
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

// showEdit shows where a new payload differs from the one that is there.
func (a *app) showEdit(cmd *cobra.Command, r *remote, id string, payload []byte, reveal, alone bool) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	var out deadletter.Comparison
	path := "/v1/dead/" + url.PathEscape(id) + "/compare?reveal=" + strconv.FormatBool(reveal)
	if err := c.Post(cmd.Context(), path, admin.Change{Payload: payload}, &out); err != nil {
		return failf(exitFindings, "%s: %s", id, failed(err))
	}
	switch {
	case r.json && alone:
		return a.printJSON(out)
	case r.json:
	case out.Unread:
		fmt.Fprintln(a.Stdout, "  what was received could not be read; it is replaced")
	default:
		a.differences(out.Changes)
	}
	return nil
}

// differences prints places that differ, one to a line.
func (a *app) differences(list []deadletter.Difference) {
	for _, d := range list {
		fmt.Fprintf(a.Stdout, "  %s: %s -> %s\n", d.Path, short(string(message.Marshal(d.Before)), 40), short(string(message.Marshal(d.After)), 40))
	}
}
