package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"

	"crossdock/runtime/message"
)

// sample are the files that a drafted mapping names, and what has to be written
// for them.
type sample struct {
	names []string // relative to the mapping
	files []string
	raw   [][]byte // of each file; none where the files are there already
}

// maxSamples are the files that a drafted mapping names.
const maxSamples = 5

// planSample finds the samples of a mapping: files of the workspace, or copies of
// documents beside the mapping, as many as it takes to show every field.
func (a *app) planSample(f mappingFlags, mapping, name string, docs []document) (sample, error) {
	if f.out == "-" {
		return sample{}, nil
	}
	dir := filepath.Dir(mapping)
	var names []string
	for _, d := range docs {
		if len(names) == maxSamples {
			break
		}
		if (d.line == 0 || f.rowsOf(d)) && d.raw != nil && inside(f.dir, d.file) {
			rel, err := relative(dir, d.file)
			if err != nil {
				return sample{}, failf(exitLoad, "%s", err)
			}
			if !slices.Contains(names, rel) {
				names = append(names, rel)
			}
		}
	}
	if len(names) > 0 {
		return sample{names: names}, nil
	}
	var copies [][]byte
	if d := docs[0]; len(docs) == 1 && d.line == 0 && d.raw != nil {
		copies = [][]byte{d.raw} // as it was written
	} else {
		copies = telling(docs[:min(len(docs), 1000)])
	}
	if len(copies) == 0 {
		return sample{}, failf(exitFindings, "the sample is too large to be copied; use a smaller one")
	}
	var s sample
	for i, raw := range copies {
		rel := "samples/" + filepath.Base(name)
		if len(copies) > 1 {
			rel += "-" + strconv.Itoa(i+1)
		}
		rel += ".json"
		s.names = append(s.names, rel)
		s.files = append(s.files, filepath.Join(dir, filepath.FromSlash(rel)))
		s.raw = append(s.raw, append(bytes.TrimRight(raw, "\r\n"), '\n'))
	}
	return s, nil
}

// telling chooses the documents that show what fields there are: the largest, and
// of the others each that shows most of what none before it had.
func telling(docs []document) [][]byte {
	shown := map[string]bool{}
	var out [][]byte
	type candidate struct {
		raw   []byte
		shows map[string]bool
	}
	var left []candidate
	for _, d := range docs {
		if text := message.Marshal(d.value); len(text) < 1<<20 {
			c := candidate{text, map[string]bool{}}
			shows(d.value, "", c.shows)
			left = append(left, c)
		}
	}
	for len(left) > 0 && len(out) < maxSamples {
		best, most := -1, 0
		for i, c := range left {
			news := 0
			for what := range c.shows {
				if !shown[what] {
					news++
				}
			}
			if news > most || news == most && best >= 0 && len(out) == 0 && len(c.raw) > len(left[best].raw) {
				best, most = i, news
			}
		}
		if best < 0 {
			break
		}
		for what := range left[best].shows {
			shown[what] = true
		}
		out = append(out, left[best].raw)
		left = slices.Delete(left, best, best+1)
	}
	return out
}

// shows notes the fields of a document with the kind of their values.
func shows(v any, at string, into map[string]bool) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for name, value := range v {
			shows(value, at+"."+name, into)
		}
	case []any:
		for _, item := range v {
			shows(item, at+"[]", into)
		}
	case string:
		into[at+" text"] = true
	case bool:
		into[at+" bool"] = true
	default:
		into[at+" number"] = true
	}
}
