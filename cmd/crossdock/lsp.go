package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"crossdock/editor"
	"crossdock/editor/lsp"
	"crossdock/runtime"
	"crossdock/runtime/catalog"
)

func (a *app) lspCommand() *cobra.Command {
	var env string
	var verbose bool
	cmd := &cobra.Command{
		Use: "lsp", GroupID: "write", Args: cobra.NoArgs,
		Short: "Serve an editor: findings while typing, completion, hover, rename",
		Long: `Speak the Language Server Protocol on standard input and output. Editors start
this command; docs/editors.md says how to tell yours.`,
		Example: "  crossdock lsp\n  crossdock lsp --env prod",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.lsp(cmd.Context(), env, verbose)
		},
	}
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "say on standard error what goes wrong inside")
	cmd.Flags().Bool("stdio", true, "the only way there is; some editors insist on saying it")
	return cmd
}

func (a *app) lsp(ctx context.Context, env string, verbose bool) error {
	log := slog.New(slog.DiscardHandler)
	if verbose {
		log = slog.New(slog.NewTextHandler(a.Stderr, nil))
	}
	s := &lsp.Server{Options: editor.Options{Catalog: catalog.New(), Std: std(), Environment: env}, Version: runtime.Version, Log: log}
	if err := s.Serve(ctx, a.Stdin, a.Stdout); err != nil {
		return failf(exitFindings, "%s", err)
	}
	return nil
}
