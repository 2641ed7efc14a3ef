package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/template"
	"crossdock/dsl/value"
)

// instanceFlags are the flags of `new instance`.
type instanceFlags struct {
	dir, env, template, out string
	params                  []string
}

func (a *app) newInstanceCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use: "instance NAME --template TEMPLATE", Args: cobra.ExactArgs(1),
		Short: "Write the instance file of a new client",
		Long: `Write the instance file of a new client. On a terminal every parameter that is not given
as a flag is asked for, with its note and its options; an empty answer takes the default.
The file is checked before it is written.`,
		Example: `  crossdock new instance bolt --template client
  crossdock new instance bolt --template client@2 --param order_feed=files --param warehouses=RNO1,RNO2`,
		RunE: func(_ *cobra.Command, args []string) error { return a.newInstance(args[0], f) },
	}
	cmd.Flags().StringVar(&f.template, "template", "", "template, with its version or without: then the newest")
	cmd.Flags().StringArrayVar(&f.params, "param", nil, "NAME=VALUE; the items of a list with commas between them")
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&f.out, "out", "", "file to write, - to print; clients/NAME.instance.yaml unless given")
	return cmd
}

func (a *app) newInstance(name string, f instanceFlags) error {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	t, err := findTemplate(ws, f.template)
	if err != nil {
		return err
	}
	if t.Found.HasErrors() {
		a.print(list, f.dir, "text")
		return failf(exitLoad, "the template %s has errors", t.Name)
	}
	given, err := t.given(f.params)
	if err != nil {
		return err
	}
	if _, said := given["code"]; !said && t.has("code") {
		given["code"] = name
	}
	if err := a.askParams(t.Template, given); err != nil {
		return err
	}
	text := instanceText(t.Template, name, given)
	file := f.out
	if file == "" {
		file = "clients/" + name + ".instance.yaml"
	}
	if file == "-" {
		fmt.Fprint(a.Stdout, text)
		return nil
	}
	return a.writeInstance(f, file, name, text, t.Name)
}

// known is a template with the words of the command line.
type known struct{ *template.Template }

func (t known) has(name string) bool {
	return slices.ContainsFunc(t.Params, func(p *template.Param) bool { return p.Name == name })
}

// findTemplate finds a template by its full name, or the newest of a name.
func findTemplate(ws *dsl.Workspace, name string) (known, error) {
	var best *template.Template
	for _, t := range ws.Templates {
		if t.Name == name || t.Base == name && (best == nil || t.Major > best.Major) {
			best = t
		}
	}
	switch {
	case best != nil:
		return known{best}, nil
	case len(ws.Templates) == 0:
		return known{}, failf(exitUsage, "this workspace has no template")
	case name == "":
		return known{}, failf(exitUsage, "say which template: --template %s", strings.Join(sorted(ws.Templates), " or --template "))
	}
	return known{}, failf(exitUsage, "there is no template `%s`%s; there are %s", name, suggestion(name, ws.Templates), strings.Join(sorted(ws.Templates), ", "))
}

// given reads the --param flags.
func (t known) given(flags []string) (map[string]string, error) {
	out := map[string]string{}
	names := map[string]bool{}
	for _, p := range t.Params {
		names[p.Name] = true
	}
	for _, flag := range flags {
		name, v, ok := strings.Cut(flag, "=")
		if !ok {
			return nil, fmt.Errorf("--param takes NAME=VALUE, not `%s`", flag)
		}
		if !names[name] {
			return nil, fmt.Errorf("%s has no parameter `%s`%s; its parameters: %s", t.Name, name, suggestion(name, names), strings.Join(sorted(names), ", "))
		}
		out[name] = v
	}
	return out, nil
}

// askParams asks on a terminal for what was not given.
func (a *app) askParams(t *template.Template, given map[string]string) error {
	var missing []string
	in := bufio.NewReader(a.Stdin)
	ask := a.interactive()
	for _, p := range t.Params {
		if _, said := given[p.Name]; said {
			continue
		}
		if !ask {
			if p.Required {
				missing = append(missing, p.Name)
			}
			continue
		}
		if err := a.askParam(in, p, given); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s asks for %s: add --param %s=VALUE", t.Name, strings.Join(missing, ", "), strings.Join(missing, "=VALUE --param "))
	}
	return nil
}

// askParam asks for one until the answer fits.
func (a *app) askParam(in *bufio.Reader, p *template.Param, given map[string]string) error {
	question := p.Name + " (" + p.Type.String() + ")"
	if len(p.Options) > 0 {
		question += " [" + strings.Join(p.Options, ", ") + "]"
	}
	if p.Note != "" {
		question += "\n  " + p.Note
	}
	if p.Default != nil {
		question += "\n  empty for " + template.Flow(p.Default)
	}
	for {
		fmt.Fprintf(a.Stdout, "%s\n> ", question)
		answer, err := in.ReadString('\n')
		answer = strings.TrimSpace(answer)
		if err != nil && (!errors.Is(err, io.EOF) || answer == "" && p.Required) {
			return failf(exitUsage, "nothing was written: there was no answer for %s", p.Name)
		}
		switch bad := p.Check(answerText(p, answer)); {
		case answer == "" && !p.Required:
			return nil
		case bad != "":
			fmt.Fprintln(a.Stdout, bad)
			if err != nil {
				return failf(exitUsage, "nothing was written: %s", bad)
			}
		default:
			given[p.Name] = answer
			return nil
		}
	}
}

// interactive reports whether a person answers. CROSSDOCK_ASK is for terminals
// that do not say that they are one.
func (a *app) interactive() bool {
	f, ok := a.Stdin.(*os.File)
	return a.Getenv("CROSSDOCK_ASK") != "" || ok && term.IsTerminal(int(f.Fd()))
}

// answerText writes a value from the command line as YAML.
func answerText(p *template.Param, v string) string {
	switch {
	case p.Type.Base == value.List && !strings.HasPrefix(v, "["):
		var items []string
		for item := range strings.SplitSeq(v, ",") {
			items = append(items, yamlText(strings.TrimSpace(item), p.Type.Item == nil || p.Type.Item.Textual()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case p.Type.Base == value.List, p.Type.Base == value.Object, p.Type.Base == value.Any:
		return v
	}
	return yamlText(v, p.Type.Textual())
}

// yamlText quotes a text that YAML would take apart.
func yamlText(v string, text bool) string {
	for i, r := range v {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		other := r >= '0' && r <= '9' || r == '-' || r == '.' || r == '/'
		if !letter && (!other || i == 0 && text) {
			return strconv.Quote(v)
		}
	}
	if v == "" {
		return `""`
	}
	return v
}

// instanceText is the file of an instance.
func instanceText(t *template.Template, name string, given map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "instance: %s\nof: %s\n", name, t.Name)
	if len(given) > 0 {
		b.WriteString("params:\n")
	}
	for _, p := range t.Params {
		if v, ok := given[p.Name]; ok {
			fmt.Fprintf(&b, "  %s: %s\n", p.Name, answerText(p, v))
		}
	}
	return b.String()
}

// writeInstance writes the file when the workspace with it has no errors in it.
func (a *app) writeInstance(f instanceFlags, file, name, text, of string) error {
	at := filepath.Join(f.dir, filepath.FromSlash(file))
	if _, err := os.Stat(at); err == nil {
		return failf(exitFindings, "%s exists already; nothing was changed", at)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return failf(exitLoad, "%s", err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		return failf(exitLoad, "%s", err)
	}
	ws, list, err := load(f.dir, f.env)
	mine := slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Span.File != filepath.ToSlash(file) })
	if err != nil || mine.HasErrors() {
		a.print(mine, f.dir, "text")
		_ = os.Remove(at)
		return failf(exitFindings, "%s was not written", at)
	}
	a.print(mine, f.dir, "text")
	fmt.Fprintln(a.Stdout, at)
	for _, c := range ws.Clients {
		if c.Path == filepath.ToSlash(file) {
			fmt.Fprintf(a.Stdout, "\n%s of %s has %s.\nNext: crossdock render %s && crossdock test\n", name, of, counted(len(c.Definitions), "definition"), c.Instance.Client)
		}
	}
	return nil
}
