package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"crossdock/dsl/diag"
)

// wrongUsage says in words what was typed wrongly, how the command is used, and
// how it looks when it is right.
func wrongUsage(cmd *cobra.Command, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "crossdock: %s\n", usageWords(cmd, err))
	if !cmd.HasParent() {
		b.WriteString("Run `crossdock help` to see all commands.\n")
		return b.String()
	}
	fmt.Fprintf(&b, "  usage:   %s\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"))
	if example, _, _ := strings.Cut(cmd.Example, "\n"); example != "" {
		fmt.Fprintf(&b, "  example: %s\n", strings.TrimSpace(example))
	}
	fmt.Fprintf(&b, "Run `crossdock help %s` for all of it.\n", strings.TrimPrefix(cmd.CommandPath(), "crossdock "))
	return b.String()
}

// usageWords puts what the command-line library says into our words.
func usageWords(cmd *cobra.Command, err error) string {
	var none *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &none):
		name := none.GetSpecifiedName()
		if none.GetSpecifiedShortnames() != "" {
			return fmt.Sprintf("`%s` has no flag -%s; flags are written in full, such as --%s", cmd.CommandPath(), name, flagNames(cmd)[0])
		}
		if near := diag.Nearest(name, flagNames(cmd)); len(near) > 0 {
			return fmt.Sprintf("`%s` has no flag --%s; did you mean --%s?", cmd.CommandPath(), name, near[0])
		}
		return fmt.Sprintf("`%s` has no flag --%s; it has --%s", cmd.CommandPath(), name, strings.Join(flagNames(cmd), ", --"))
	case errors.As(err, &empty):
		return fmt.Sprintf("--%s stands without a value: %s", empty.GetFlag().Name, empty.GetFlag().Usage)
	case errors.As(err, &bad):
		return flagValue(bad.GetFlag(), bad.GetValue())
	}
	if rest, ok := strings.CutPrefix(err.Error(), "required flag(s) "); ok {
		name, _, _ := strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
		if f := cmd.Flag(name); f != nil {
			return fmt.Sprintf("--%s is missing: %s", name, f.Usage)
		}
	}
	return err.Error()
}

func flagValue(f *pflag.Flag, got string) string {
	takes := map[string]string{
		"bool": "true or false", "int": "a whole number", "float64": "a number", "duration": "a length of time such as 30s or 5m",
		"stringToString": "name=value",
	}[f.Value.Type()]
	if takes == "" {
		takes = f.Usage
	}
	return fmt.Sprintf("--%s takes %s, not `%s`", f.Name, takes, got)
}

// flagNames are the flags of a command, but help.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	if len(names) == 0 {
		return []string{"help"}
	}
	return names
}

// sayArguments makes every command below cmd name the argument that is missing
// or too much.
func sayArguments(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		sayArguments(sub)
	}
	check := cmd.Args
	if check == nil || !cmd.HasParent() {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		named := arguments(cmd.Use)
		switch {
		case len(args) < len(named):
			return fmt.Errorf("%s is missing", named[len(args)])
		case len(args) > 0 && len(named) == 0 && cmd.HasSubCommands():
			return noCommand(cmd, args[0])
		case len(args) > 0:
			return fmt.Errorf("`%s` is one argument too many", args[len(args)-1])
		}
		return err
	}
}

// arguments are the arguments that the usage line asks for.
func arguments(use string) []string {
	var named []string
	for _, word := range strings.Fields(use)[1:] {
		if strings.HasPrefix(word, "-") || strings.HasPrefix(word, "[") || word == "|" {
			break
		}
		named = append(named, word)
	}
	return named
}

// noCommand is the error of a command that does not exist.
func noCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	full := strings.TrimPrefix(cmd.CommandPath()+" "+name, "crossdock ")
	if near := diag.Nearest(name, known); len(near) > 0 {
		return fmt.Errorf("there is no command `%s`; did you mean `%s`?", full, strings.Join(near[:min(2, len(near))], "` or `"))
	}
	if !cmd.HasParent() {
		return fmt.Errorf("there is no command `%s`", full)
	}
	return fmt.Errorf("there is no command `%s`; `%s` has %s", full, cmd.CommandPath(), strings.Join(known, ", "))
}

// unknownCommand finds the word of a command line that names no command, which
// the library lets pass where a command only holds others.
func unknownCommand(root *cobra.Command, args []string) (*cobra.Command, error) {
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
	}
	cmd, rest, _ := root.Find(args)
	if cmd == nil || cmd.Runnable() || !cmd.HasSubCommands() {
		return nil, nil
	}
	if len(rest) == 0 || strings.HasPrefix(rest[0], "-") || rest[0] == "help" || strings.HasPrefix(rest[0], "__complete") {
		return nil, nil
	}
	return cmd, noCommand(cmd, rest[0])
}
