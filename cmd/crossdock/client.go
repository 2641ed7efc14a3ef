package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"crossdock/runtime"
	"crossdock/runtime/admin"
)

// remote are the flags of commands that talk to a running crossdock.
type remote struct {
	dir, state, admin, token, ca string
	json                         bool
}

func (r *remote) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.dir, "dir", ".", "workspace of the running crossdock")
	cmd.Flags().StringVar(&r.state, "state", "", "its state folder (default DIR/.crossdock)")
	cmd.Flags().StringVar(&r.admin, "admin", "", "address of its admin API, such as http://127.0.0.1:8090")
	cmd.Flags().StringVar(&r.token, "token", "", "admin token; read from the workspace unless given")
	cmd.Flags().StringVar(&r.ca, "admin-ca", "", "file with the certificate that the admin address shows, for https")
	cmd.Flags().BoolVar(&r.json, "json", false, "print JSON")
}

// client finds the running crossdock: by flags, or by the note it left in its
// workspace.
func (r *remote) client() (*admin.Client, error) {
	state := r.state
	if state == "" {
		state = filepath.Join(r.dir, runtime.StateDir)
	}
	base, cert := r.admin, r.ca
	if base == "" {
		found, err := admin.Find(state)
		if err != nil {
			return nil, failf(exitLoad, "nothing runs in %s; start it with `crossdock run`, or name it with --dir or --admin", r.dir)
		}
		base = found.Addr
		if cert == "" {
			cert = found.Cert
		}
	}
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	token := r.token
	if token == "" {
		raw, err := os.ReadFile(filepath.Join(state, "admin.token"))
		if err != nil {
			return nil, failf(exitLoad, "the admin token cannot be read from %s; give it with --token or CROSSDOCK_TOKEN", state)
		}
		token = strings.TrimSpace(string(raw))
	}
	c := &admin.Client{Base: base, Token: token, Who: who()}
	if cert != "" {
		var err error
		if c.HTTP, err = admin.Pinned(cert); err != nil {
			return nil, failf(exitLoad, "%s", err)
		}
	}
	return c, nil
}

// failed words an error of the API.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, admin.ErrUnreachable) {
		return failf(exitLoad, "%s; is `crossdock run` up?", err)
	}
	return failf(exitFindings, "%s", err)
}

// printJSON prints a value for machines.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}

// table prints rows in columns.
func (a *app) table(rows [][]string) {
	w := tabwriter.NewWriter(a.Stdout, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	w.Flush()
}

// short cuts a text so that tables fit 100 columns.
func short(s string, n int) string {
	return cut(strings.Join(strings.Fields(s), " "), n)
}

// cut is short for values, in which each blank counts.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-3]) + "..."
}
