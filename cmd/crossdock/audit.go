package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime"
	"crossdock/runtime/audit"
)

// The files of the audit log in the state folder.
const (
	auditLog = "audit.log"
	auditKey = "audit.key"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", GroupID: "operate", Short: "Show who changed what, and check that nothing was covered up",
		Long: `The audit log keeps every change by a person or token, every look at personal data
and what was refused: who, when, from where, what, why and how it came out. Its
lines depend on each other and are signed, so that one which was edited, moved,
added or removed is found. Lines cut off at the end are found by a head that was
exported before, with ` + "`crossdock run --audit-head`" + `.`,
		Example: "  crossdock audit list\n  crossdock audit verify --head /mnt/second/heads",
	}
	cmd.AddCommand(a.auditList(), a.auditVerify())
	return cmd
}

func (a *app) auditList() *cobra.Command {
	var r remote
	var n int
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List the latest changes, oldest first",
		Example: "  crossdock audit list\n  crossdock audit list --limit 1000 --json"}
	r.flags(cmd)
	cmd.Flags().IntVar(&n, "limit", 100, "how many lines of the log")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var lines []audit.Line
		if err := c.Get(cmd.Context(), "/v1/audit", url.Values{"limit": {strconv.Itoa(n)}}, &lines); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(lines)
		}
		ended := map[int64]bool{}
		for _, l := range lines {
			ended[l.Begun] = true
		}
		rows := [][]string{{"NO", "TIME", "WHO", "FROM", "WHAT", "OF", "RESULT", "WHY"}}
		for _, l := range lines {
			if l.Result == audit.Begun && ended[l.Seq] {
				continue // the line that ends it tells more
			}
			why := l.Why
			if l.Error != "" {
				why = l.Error
			}
			rows = append(rows, []string{strconv.FormatInt(l.Seq, 10), l.At.Local().Format("01-02 15:04:05"), short(l.Who, 14), short(l.From, 15),
				short(l.What, 16), short(l.Of, 14), l.Result, short(why, 24)})
		}
		if len(rows) == 1 {
			fmt.Fprintln(a.Stdout, "nothing was changed yet")
			return nil
		}
		a.table(rows)
		return nil
	}
	return cmd
}

func (a *app) auditVerify() *cobra.Command {
	var dir, state, log, key, head string
	var asJSON bool
	cmd := &cobra.Command{Use: "verify", Args: cobra.NoArgs, Short: "Check that the audit log is as it was written",
		Long: `Check that every line of the audit log is as it was written, and name the first one
that is not. It reads the files and asks no running crossdock.

With --head the log is compared with the heads that were exported to another place.
Only this finds lines that were cut off at the end, or a log that somebody with the
key wrote anew.`,
		Example: "  crossdock audit verify\n  crossdock audit verify --log copy/audit.log --key /safe/audit.key --head /mnt/second/heads"}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace with the log")
	cmd.Flags().StringVar(&state, "state", "", "its state folder (default DIR/.crossdock)")
	cmd.Flags().StringVar(&log, "log", "", "the log itself (default audit.log in the state folder)")
	cmd.Flags().StringVar(&key, "key", "", "file with its key (default audit.key in the state folder)")
	cmd.Flags().StringVar(&head, "head", "", "file with exported heads")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(*cobra.Command, []string) error {
		if state == "" {
			state = filepath.Join(dir, runtime.StateDir)
		}
		if log == "" {
			log = filepath.Join(state, auditLog)
		}
		if key == "" {
			key = filepath.Join(state, auditKey)
		}
		s, err := verifyAudit(log, key, head)
		var bad *audit.Fault
		if err != nil && !errors.As(err, &bad) {
			return failf(exitLoad, "%s", err)
		}
		if asJSON {
			out := map[string]any{"whole": bad == nil, "lines": s.Lines, "heads": s.Heads}
			if bad != nil {
				out["line"], out["fault"] = bad.Line, bad.What
			}
			if err := a.printJSON(out); err != nil {
				return err
			}
			if bad != nil {
				return &exit{code: exitFindings}
			}
			return nil
		}
		if bad != nil {
			return failf(exitFindings, "the audit log %s is not as it was written: %s", log, bad)
		}
		fmt.Fprintf(a.Stdout, "%s is whole: %d lines, the last one of %s\n", log, s.Lines, s.Last.Local().Format(time.DateTime))
		if head == "" {
			fmt.Fprintln(a.Stdout, "no exported heads were compared: lines cut off at its end would not be found (--head)")
		}
		return nil
	}
	return cmd
}

func verifyAudit(log, key, head string) (audit.Summary, error) {
	secret, err := audit.ReadKey(key)
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Summary{}, fmt.Errorf("there is no key of an audit log %s; name it with --key, or the workspace with --dir", key)
	}
	if err != nil {
		return audit.Summary{}, err
	}
	var heads []audit.Head
	if head != "" {
		f, err := os.Open(head)
		if err != nil {
			return audit.Summary{}, fmt.Errorf("read the exported heads: %w", err)
		}
		heads, err = audit.ReadHeads(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return audit.Summary{}, err
		}
	}
	f, err := os.Open(log)
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Summary{}, fmt.Errorf("there is no audit log %s", log)
	}
	if err != nil {
		return audit.Summary{}, fmt.Errorf("open the audit log: %w", err)
	}
	s, err := audit.Verify(f, secret, heads)
	return s, errors.Join(err, f.Close())
}
