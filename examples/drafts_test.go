package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/draft"
	"crossdock/dsl/profile"
	"crossdock/dsl/spec"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/message"
)

// judged counts guesses against a mapping that a person wrote.
type judged struct{ right, wrong, missed, extra int }

func (j *judged) add(o judged) {
	j.right, j.wrong, j.missed, j.extra = j.right+o.right, j.wrong+o.wrong, j.missed+o.missed, j.extra+o.extra
}

// TestDrafts holds the drafts against all mappings of the examples that have a
// contract and a sample: for each row that reads one thing, was the same thing
// guessed? The bounds are a floor below what is measured, so that a change of the
// words that makes guesses worse is seen.
func TestDrafts(t *testing.T) {
	folders, err := filepath.Glob("[0-9]*")
	if err != nil || len(folders) == 0 {
		t.Fatal(err)
	}
	var all judged
	for _, dir := range folders {
		ws, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New(), Std: pipelines.Library(), AnyEnvironment: true})
		if err != nil || list.HasErrors() {
			t.Logf("%s is left out: %v", dir, err)
			continue
		}
		var names []string
		for name := range ws.Mappings {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			m := ws.Mappings[name]
			if m.Std || m.Output == nil || len(m.Spec.Samples) == 0 || m.Mapping.Program != nil {
				continue
			}
			j, wrong := judgeDraft(t, ws, dir, m)
			all.add(j)
			t.Logf("%-28s right %2d wrong %2d missed %2d extra %2d  %s", name, j.right, j.wrong, j.missed, j.extra, strings.Join(wrong, ", "))
		}
	}
	made := all.right + all.wrong
	t.Logf("of %d guesses that a person also made a row for, %d read the same (%d%%); %d of %d rows that read one thing were found (%d%%); %d guesses where the person has no such row",
		made, all.right, 100*all.right/made, all.right, made+all.missed, 100*all.right/(made+all.missed), all.extra)
	if 100*all.right/made < 70 || 100*all.right/(made+all.missed) < 35 {
		t.Error("the guesses got worse")
	}
}

func judgeDraft(t *testing.T, ws *dsl.Workspace, dir string, m *compile.Mapping) (judged, []string) {
	t.Helper()
	p := profile.New()
	for _, s := range m.Spec.Samples {
		raw, _, err := compile.ReadBeside(os.DirFS(dir), nil, m.File.Path, s.Value)
		if err != nil {
			t.Fatal(err)
		}
		v, err := message.Decode(raw, message.Unlimited)
		if err != nil {
			t.Fatal(err)
		}
		p.Add(v)
	}
	from := ""
	if m.Input != nil {
		from = m.Input.Name
	}
	_, guesses, err := draft.Mapping(draft.Request{Name: "x", From: from, To: m.Output.Schema, Output: m.Output.Name, Profile: p, Zone: "UTC"})
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	truth := map[string][]string{}
	readBy(ws, m.Spec.Fields, "", truth)
	var j judged
	var wrong []string
	for _, g := range guesses {
		want, there := truth[g.Target]
		got := bare(g.Source)
		switch {
		case strings.HasPrefix(g.Source, "const "):
		case !there && g.Source != "":
			j.extra++
		case !there:
		case g.Source == "":
			j.missed++
			wrong = append(wrong, "MISS "+g.Target+" "+strings.Join(want, "|"))
		case slices.Contains(want, got):
			j.right++
		default:
			j.wrong++
			wrong = append(wrong, g.Target+" is "+strings.Join(want, "|")+" not "+got)
		}
	}
	return j, wrong
}

// readBy notes for each row which places its cell reads, where it is one or two.
func readBy(ws *dsl.Workspace, fields spec.Fields[spec.Row], above string, into map[string][]string) {
	for _, f := range fields {
		name := above + f.Key.Text
		from := f.Value.From
		inner := name + "."
		if f.Value.Each.Set() {
			from, inner = f.Value.Each, name+"[]."
		}
		if from.Set() {
			i := slices.IndexFunc(ws.Cells, func(c *cell.Cell) bool { return c.Node == from.Node })
			if i >= 0 && ws.Cells[i].JQ != nil {
				var list []string
				for _, path := range ws.Cells[i].JQ.Paths() {
					if path.Var == "" || path.Var == "root" {
						list = append(list, bare(path.String()))
					}
				}
				if len(list) == 1 || len(list) == 2 {
					into[name] = list
				}
			}
		}
		readBy(ws, f.Value.Fields, inner, into)
	}
}

var chosen = regexp.MustCompile(` \| select\([^)]*\) \| `)

// bare is a place without what is around its names: a choice of an item, a text
// that is put together of it.
func bare(expr string) string {
	expr, _, _ = strings.Cut(expr, " | values | ")
	expr = chosen.ReplaceAllString(expr, "")
	return strings.NewReplacer("first(", "", ")", "", "?", "", "[]", "", "[0]", "", "$root", "", `"`, "").Replace(expr)
}
