package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/template"
	"crossdock/runtime/catalog"
)

// everything is what --keep without a path keeps.
const everything = "everything"

// keepPaths writes `--keep PATH` as `--keep=PATH`: --keep alone keeps everything,
// so that only a word with a slash, which no client has, is its path.
func keepPaths(args []string) []string {
	if !slices.Contains(args, "rebase") {
		return args
	}
	var out []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--keep" && i+1 < len(args) && strings.Contains(args[i+1], "/") && !strings.HasPrefix(args[i+1], "-") {
			out = append(out, "--keep="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

// covers reports whether one of the paths of a flag is that of an override, or
// of what it stands in. The path of a conflict may be copied as it is printed.
func covers(paths []string, def, path string) bool {
	full := strings.TrimSuffix(def+"."+path, ".")
	return slices.ContainsFunc(paths, func(p string) bool {
		p = strings.ReplaceAll(strings.TrimSpace(p), ": ", ".")
		return p == everything || p == full || strings.HasPrefix(full, p+".")
	})
}

// question is a parameter that a client has to say and does not.
type question struct {
	Client  string   `json:"client"`
	Param   string   `json:"param"`
	Type    string   `json:"type"`
	Options []string `json:"options,omitempty"`
	Note    string   `json:"note,omitempty"`
	param   *template.Param
}

// move is a rebase as it was decided: the workspace in which overrides were
// taken out, and the same on the other version.
type move struct {
	ws   *dsl.Workspace // before, without what --take removes
	to   *dsl.Repinned
	asks []question
}

// prepared makes the move of some clients, all where none are named.
func prepared(ws *dsl.Workspace, names []string, f rebaseFlags) (*move, error) {
	m := &move{ws: ws}
	var err error
	folder := os.DirFS(f.dir)
	taken := map[string][]byte{}
	for {
		if m.to, err = dsl.Repin(folder, m.ws, f.template, names); err != nil {
			return nil, failf(exitUsage, "%s", err)
		}
		if m.asks, err = f.params(m); err != nil {
			return nil, err
		}
		more, err := f.takeOut(m, folder, taken)
		if err != nil {
			return nil, err
		}
		if !more {
			return m, nil
		}
		folder = dsl.With(os.DirFS(f.dir), taken)
		if m.ws, _, err = dsl.Load(folder, f.options()); err != nil {
			return nil, failf(exitLoad, "%s", err)
		}
	}
}

func (f rebaseFlags) options() dsl.Options {
	return dsl.Options{Catalog: catalog.New(), Environment: f.env, Std: std(), AnyEnvironment: true}
}

// params writes the parameters that were given into the files that move, and
// returns those that are still to be said.
func (f rebaseFlags) params(m *move) ([]question, error) {
	var open []question
	t := m.ws.Templates[f.template]
	for _, code := range m.to.Clients {
		c := m.ws.Clients[code]
		for _, p := range t.Asks(c.Instance) {
			v, said := f.said(code, p.Name)
			if !said {
				open = append(open, question{code, p.Name, p.Type.String(), p.Options, p.Note, p})
				continue
			}
			if bad := p.Check(answerText(p, v)); bad != "" {
				return nil, failf(exitUsage, "--set %s=%s: %s", p.Name, v, bad)
			}
			text, err := template.WithParam(m.to.Files[c.Path], c.Path, p.Name, answerText(p, v))
			if err != nil {
				return nil, failf(exitLoad, "%s: the parameter `%s` cannot be added: %s", c.Path, p.Name, err)
			}
			m.to.Files[c.Path] = text
		}
	}
	return open, nil
}

// said is the value of a parameter for a client: what is said of it alone goes
// before what is said of all.
func (f rebaseFlags) said(client, param string) (string, bool) {
	for _, name := range []string{client + ":" + param, param} {
		for _, set := range slices.Backward(f.set) {
			if key, v, ok := strings.Cut(set, "="); ok && key == name {
				return v, true
			}
		}
	}
	return "", false
}

// checkSet refuses what no template or client of the move has.
func (f rebaseFlags) checkSet(m *move) error {
	t := known{m.ws.Templates[f.template]}
	params, clients := map[string]bool{}, map[string]bool{}
	for _, p := range t.Params {
		params[p.Name] = true
	}
	for _, code := range m.to.Clients {
		clients[code] = true
	}
	for _, set := range f.set {
		key, _, ok := strings.Cut(set, "=")
		if !ok {
			return fmt.Errorf("--set takes NAME=VALUE or CLIENT:NAME=VALUE, not `%s`", set)
		}
		client, name, one := strings.Cut(key, ":")
		if !one {
			client, name = "", key
		}
		switch {
		case one && !clients[client]:
			return fmt.Errorf("--set %s: no client `%s` moves%s", set, client, suggestion(client, clients))
		case !params[name]:
			return fmt.Errorf("--set %s: %s has no parameter `%s`%s; its parameters: %s", set, t.Name, name, suggestion(name, params), strings.Join(sorted(params), ", "))
		}
	}
	return nil
}

// ask asks on a terminal for what is still to be said; the answers are as if
// they had been given with --set.
func (a *app) ask(m *move, f *rebaseFlags) error {
	if f.asJSON || f.dryRun || !a.interactive() {
		return nil
	}
	in := bufio.NewReader(a.Stdin)
	for _, q := range m.asks {
		fmt.Fprintf(a.Stdout, "%s asks %s for:\n", f.template, q.Client)
		answers := map[string]string{}
		if err := a.askParam(in, q.param, answers); err != nil {
			return err
		}
		f.set = append(f.set, q.Client+":"+q.Param+"="+answers[q.Param])
	}
	return nil
}

// toType is the command that says what is still to be said.
func (f rebaseFlags) toType(names []string, asks []question) string {
	words := append([]string{"crossdock rebase --template", f.template}, names...)
	for _, p := range f.keep {
		if words = append(words, "--keep"); p != everything {
			words = append(words, yamlText(p, true))
		}
	}
	for _, p := range f.take {
		words = append(words, "--take", yamlText(p, true))
	}
	for _, s := range f.set {
		words = append(words, "--set", yamlText(s, true))
	}
	for _, q := range asks {
		words = append(words, "--set "+q.Client+":"+q.Param+"=VALUE")
	}
	return strings.Join(words, " ")
}

// takeOut removes what --take names from the files of the clients, and reports
// whether there was any of it.
func (f rebaseFlags) takeOut(m *move, folder fs.FS, taken map[string][]byte) (bool, error) {
	if len(f.take) == 0 {
		return false, nil
	}
	next, _, err := dsl.Load(m.to.FS, f.options())
	if err != nil {
		return false, failf(exitLoad, "%s", err)
	}
	any := false
	for _, code := range m.to.Clients {
		was, is := m.ws.Clients[code], next.Clients[code]
		if is == nil {
			continue
		}
		u := template.Compare(was.Instance, is.Instance, time.Now())
		var places []diag.Span
		for _, c := range append(u.Conflicts, u.Dead...) {
			if covers(f.take, c.Def, c.Path) && c.At.File == was.Path {
				places = append(places, c.At)
			}
		}
		if len(places) == 0 {
			continue
		}
		any = true
		// From the end on, so that what stands before keeps its place.
		slices.SortFunc(places, func(a, b diag.Span) int {
			if a.Start.Less(b.Start) {
				return 1
			}
			return -1
		})
		text, err := fs.ReadFile(folder, was.Path)
		for i, at := range places {
			if err == nil && (i == 0 || at != places[i-1]) {
				text, err = template.Without(text, was.Path, at)
			}
			if err != nil {
				return false, failf(exitFindings, "%s: this override cannot be taken out: %s", at, err)
			}
		}
		taken[was.Path] = text
	}
	return any, nil
}

// checkPaths refuses paths at which nothing is in conflict.
func (f rebaseFlags) checkPaths(ws *dsl.Workspace, names []string) error {
	if len(f.take) == 0 && (len(f.keep) == 0 || covers(f.keep, "", "")) {
		return nil
	}
	bare := f
	bare.take = nil
	m, err := prepared(ws, names, bare)
	if err != nil {
		return err
	}
	next, _, err := dsl.Load(m.to.FS, f.options())
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	places := map[string]bool{}
	for _, code := range m.to.Clients {
		if is := next.Clients[code]; is != nil {
			u := template.Compare(m.ws.Clients[code].Instance, is.Instance, time.Now())
			for _, c := range append(u.Conflicts, u.Dead...) {
				places[strings.TrimSuffix(c.Def+"."+c.Path, ".")] = true
			}
		}
	}
	for flag, paths := range map[string][]string{"--keep": f.keep, "--take": f.take} {
		for _, p := range paths {
			met := p == everything
			for place := range places {
				met = met || covers([]string{p}, place, "")
			}
			switch {
			case met:
			case len(places) == 0:
				return fmt.Errorf("%s %s: nothing is in conflict", flag, p)
			default:
				return fmt.Errorf("%s %s: nothing is in conflict there%s; what is: %s", flag, p, suggestion(p, places), strings.Join(sorted(places), ", "))
			}
		}
	}
	for place := range places {
		if covers(f.take, place, "") && covers(slices.DeleteFunc(slices.Clone(f.keep), func(p string) bool { return p == everything }), place, "") {
			return fmt.Errorf("%s is to be kept and to be taken: say one of both", place)
		}
	}
	return nil
}
