package main

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"crossdock/runtime"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Args: cobra.NoArgs, Short: "Print the version",
		Example: "  crossdock version\n  crossdock version --json",
		RunE: func(*cobra.Command, []string) error {
			commit := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			if asJSON {
				return a.printJSON(map[string]string{"version": runtime.Version, "commit": commit, "go": goruntime.Version(), "language": "1"})
			}
			fmt.Fprintf(a.Stdout, "crossdock %s (commit %s, %s %s/%s, language version 1)\n", runtime.Version, commit, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
