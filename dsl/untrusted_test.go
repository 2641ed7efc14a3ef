package dsl_test

import (
	"testing"
	"testing/fstest"

	"crossdock/dsl"
)

// TestUntrusted checks which cells run in the sandbox, also when that changes
// while nothing else does.
func TestUntrusted(t *testing.T) {
	mapping := "mapping: %\nfields: {a: \".a | tostring\"}\n"
	files := func(config, env string) fstest.MapFS {
		out := fstest.MapFS{"prod.environment.yaml": {Data: []byte("environment: prod\n" + env)}}
		for path, text := range map[string]string{
			"crossdock.yaml":                           "crossdock: 1\n" + config,
			"mappings/house.mapping.yaml":              "mapping: house" + mapping[10:],
			"clients/acme/their.mapping.yaml":          "mapping: their" + mapping[10:],
			"clients/acmeister/beside.mapping.yaml":    "mapping: beside" + mapping[10:],
			"clients/acme/deep/er/theirs.mapping.yaml": "mapping: theirs" + mapping[10:],
		} {
			out[path] = &fstest.MapFile{Data: []byte(text)}
		}
		return out
	}
	cases := []struct {
		name, config, env string
		strict            bool
		want              map[string]bool
	}{
		{"nobody", "", "", false, map[string]bool{}},
		{"folder", "untrusted: [clients/acme]\n", "", false, map[string]bool{"their": true, "theirs": true}},
		{"slash", "untrusted: [./clients/acme/]\n", "", false, map[string]bool{"their": true, "theirs": true}},
		{"all", "sandbox: strict\n", "", false, map[string]bool{"house": true, "their": true, "theirs": true, "beside": true}},
		{"environment", "", "sandbox: strict\n", false, map[string]bool{"house": true, "their": true, "theirs": true, "beside": true}},
		{"process", "untrusted: [clients/acme]\n", "", true, map[string]bool{"house": true, "their": true, "theirs": true, "beside": true}},
		{"nobody again", "", "", false, map[string]bool{}},
	}
	cache := &dsl.Cache{}
	digests := map[string]string{}
	for _, c := range cases {
		o := options()
		o.Cache, o.Strict = cache, c.strict
		ws, list, err := dsl.Load(files(c.config, c.env), o)
		if err != nil || list.HasErrors() {
			t.Fatalf("%s: %v %v", c.name, list, err)
		}
		for _, u := range ws.Units {
			if u.Kind != "mapping" || u.Std {
				continue
			}
			for _, cell := range u.Cells {
				if cell.JQ.Sandboxed() != c.want[u.Name] {
					t.Errorf("%s: cells of %s in the sandbox: %v", c.name, u.Name, cell.JQ.Sandboxed())
				}
			}
			key := u.Name
			if c.want[u.Name] {
				key += " in the sandbox"
			}
			if before, there := digests[key]; there && before != u.Mapping.Digest {
				t.Errorf("%s: the digest of %s changes", c.name, u.Name)
			}
			digests[key] = u.Mapping.Digest
		}
	}
	if digests["their"] == digests["their in the sandbox"] {
		t.Error("a definition is the same in the sandbox and out of it, so a reload would not notice")
	}
}
