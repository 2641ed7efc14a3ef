package dsl_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
	"crossdock/pipelines"
	"crossdock/runtime/testrun"
)

// TestCache edits a workspace at random, loads it with a cache and without, and
// finds the two the same: revision, findings, digests and what the tests of the
// workspace see. Now and then what only looking needs is dropped, as the engine
// does.
func TestCache(t *testing.T) { edited(t, archive(t, "testdata/language.txtar"), dsltest.Raced) }

// TestCacheOfTemplates does the same to a template, its clients, and a version
// that no client has.
func TestCacheOfTemplates(t *testing.T) {
	edited(t, withNext(archive(t, "testdata/templates/base.txtar")), dsltest.Raced)
}

// archive returns the files of a workspace.
func archive(t *testing.T, path string) map[string]string {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range ar.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

// edited makes fewer edits where the race detector watches the loads: what runs
// at once in one of them does so in each.
func edited(t *testing.T, original map[string]string, fewer bool) {
	steps := 80
	if fewer || testing.Short() {
		steps = 10
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			e := &editor{Rand: rand.New(rand.NewPCG(seed, 7)), original: original, files: maps.Clone(original)}
			cache := &dsl.Cache{}
			vars := map[string]string{}
			for step := range steps {
				what := e.edit()
				if e.IntN(20) == 0 {
					vars["extra"] = fmt.Sprint(e.IntN(3))
				}
				full, cached := options(), options()
				full.Vars, cached.Vars, cached.Cache = vars, vars, cache
				full.AnyEnvironment, cached.AnyEnvironment = true, true
				if seed%2 == 0 {
					full.Std, cached.Std = pipelines.Library(), pipelines.Library()
				}
				fsys := workspace(e.files)
				want, wantList, err := dsl.Load(fsys, full)
				if err != nil {
					t.Fatal(err)
				}
				got, gotList, err := dsl.Load(fsys, cached)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(gotList, wantList) && len(gotList)+len(wantList) > 0 {
					t.Fatalf("step %d, %s:\nwith a cache:\n%s\nwithout:\n%s", step, what, lines(gotList), lines(wantList))
				}
				if g, w := digests(got), digests(want); g != w {
					t.Fatalf("step %d, %s:\nwith a cache:\n%s\nwithout:\n%s", step, what, g, w)
				}
				if wantList.HasErrors() {
					continue
				}
				if seed < 2 || e.IntN(2) == 0 {
					got.Drop()
				}
				if g, w := rehearse(got, e.files), rehearse(want, e.files); g != w {
					t.Fatalf("step %d, %s: tests with a cache:\n%s\nwithout:\n%s", step, what, g, w)
				}
			}
		})
	}
}

// TestCacheReuses: an edited definition is compiled again, and what uses it,
// and nothing else.
func TestCacheReuses(t *testing.T) {
	files := map[string]string{
		"a.lookup.yaml":    "lookup: a\non_miss: pass\nrows: {1: x}\n",
		"b.lookup.yaml":    "lookup: b\non_miss: pass\nrows: {1: x}\n",
		"a.mapping.yaml":   "mapping: a\nfields: {x: {from: .x, lookup: a}}\n",
		"b.mapping.yaml":   "mapping: b\nfields: {x: '.x | lookup(\"b\")'}\n",
		"pa.pipeline.yaml": "pipeline: pa\ntrigger: {event: a}\nsteps: [{map: a}]\n",
		"pb.pipeline.yaml": "pipeline: pb\ntrigger: {event: b}\nsteps: [{map: b}]\n",
	}
	opt := options()
	opt.Cache = &dsl.Cache{}
	load := func() *dsl.Workspace {
		ws, list, err := dsl.Load(workspace(files), opt)
		if err != nil || list.HasErrors() {
			t.Fatal(err, list)
		}
		ws.Drop()
		return ws
	}
	first := load()
	files["a.lookup.yaml"] = "lookup: a\non_miss: pass\nrows: {1: y}\n"
	second := load()
	for name, same := range map[string]bool{"a": false, "b": true} {
		if (first.Mappings[name] == second.Mappings[name]) != same {
			t.Errorf("mapping %s: used again is not %t", name, same)
		}
		if (first.Pipelines["p"+name] == second.Pipelines["p"+name]) != same {
			t.Errorf("pipeline p%s: used again is not %t", name, same)
		}
	}
}

// TestCachesGoTheirOwnWay: what one copy loads changes nothing for another.
func TestCachesGoTheirOwnWay(t *testing.T) {
	files := map[string]string{
		"a.lookup.yaml":  "lookup: a\non_miss: pass\nrows: {1: x}\n",
		"a.mapping.yaml": "mapping: a\nfields: {x: {from: .x, lookup: a}}\n",
	}
	opt := options()
	load := func(c *dsl.Cache) *dsl.Workspace {
		opt.Cache = c
		ws, list, err := dsl.Load(workspace(files), opt)
		if err != nil || list.HasErrors() {
			t.Fatal(err, list)
		}
		ws.Drop()
		return ws
	}
	cache := &dsl.Cache{}
	first, before := load(cache), files["a.lookup.yaml"]
	one, other := cache.Clone(), cache.Clone()
	files["a.lookup.yaml"] = "lookup: a\non_miss: pass\nrows: {1: y}\n"
	if load(one).Mappings["a"] == first.Mappings["a"] {
		t.Error("a copy did not see the edit")
	}
	files["a.lookup.yaml"] = before
	if load(other).Mappings["a"] != first.Mappings["a"] {
		t.Error("the other copy has lost what was compiled")
	}
}

// editor changes files at random.
type editor struct {
	*rand.Rand
	original, files map[string]string
}

var word = regexp.MustCompile(`[A-Za-z][A-Za-z_-]{2,}`)

// edit makes one change and says which.
func (e *editor) edit() string {
	names := slices.Sorted(maps.Keys(e.original))
	name := names[e.IntN(len(names))]
	text, there := e.files[name]
	if !there || text != e.original[name] && e.IntN(3) > 0 {
		e.files[name] = e.original[name]
		return "restored " + name
	}
	rows := strings.SplitAfter(text, "\n")
	i := e.IntN(len(rows))
	switch e.IntN(7) {
	case 0:
		delete(e.files, name)
		return "removed " + name
	case 1:
		e.files[name] = text + "# a comment\n"
		return "comment in " + name
	case 2:
		e.files[name] = "# a comment above\n" + text
		return "comment above " + name
	case 3:
		e.files[name] = strings.Join(slices.Delete(rows, i, i+1), "")
		return fmt.Sprint("removed line ", i+1, " of ", name)
	case 4:
		other := e.original[names[e.IntN(len(names))]]
		words := word.FindAllString(other, -1)
		at := word.FindAllStringIndex(text, -1)
		if len(words) == 0 || len(at) == 0 {
			return "nothing"
		}
		w, p := words[e.IntN(len(words))], at[e.IntN(len(at))]
		e.files[name] = text[:p[0]] + w + text[p[1]:]
		return fmt.Sprintf("%s instead of %s in %s", w, text[p[0]:p[1]], name)
	case 5:
		e.files[name] = strings.Replace(text, "1", "2", 1+e.IntN(3))
		return "numbers in " + name
	}
	other := names[e.IntN(len(names))]
	e.files[name], e.files[other] = e.original[other], e.original[name]
	return "swapped " + name + " and " + other
}

func lines(list diag.List) string {
	var s strings.Builder
	for _, d := range list {
		fmt.Fprintf(&s, "%s %s %s: %s; %s; %s\n", d.Span, d.Code, d.Severity, d.Message, d.Short, d.Hint)
	}
	return s.String()
}

// digests is what a workspace says of itself.
func digests(ws *dsl.Workspace) string {
	var out []string
	add := func(kind, name, digest string) { out = append(out, kind+" "+name+" "+digest) }
	for n, d := range ws.Lookups {
		add("lookup", n, d.Digest)
	}
	for n, d := range ws.Schemas {
		add("schema", n, d.Digest)
	}
	for n, d := range ws.Connections {
		add("connection", n, d.Digest)
	}
	for n, d := range ws.Mappings {
		add("mapping", n, d.Digest)
	}
	for n, d := range ws.Pipelines {
		add("pipeline", n, fmt.Sprint(d.Digest, d.ReadsOriginal, d.ReadsMeta, d.ReadsRun))
	}
	for n, list := range ws.Listeners {
		for _, p := range list {
			add("listener", n, p.Name)
			if ws.Pipelines[p.Name] != p {
				add("listener", n, "is another one")
			}
		}
	}
	slices.Sort(out)
	return ws.Revision + "\n" + strings.Join(out, "\n") + fmt.Sprint("\n", ws.SecretNames(), slices.Sorted(maps.Keys(ws.Files)))
}

// rehearse runs the tests of a workspace and returns what came out.
func rehearse(ws *dsl.Workspace, files map[string]string) string {
	var s strings.Builder
	r := testrun.Runner{WS: ws, FS: workspace(files), Std: pipelines.Library()}
	r.All(context.Background(), nil, func(res testrun.Result) {
		fmt.Fprintf(&s, "%s, %s: %v\n", res.Of, res.Case, res.Failures)
	})
	return s.String()
}
