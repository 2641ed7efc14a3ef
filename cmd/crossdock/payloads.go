package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/connectors/format"
	"crossdock/connectors/format/csv"
	"crossdock/connectors/format/ndjson"
	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/profile"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
)

// The bounds of samples on the command line: they are looked at, not worked on.
const (
	maxSampleFile  = 64 << 20
	maxSampleCount = 100_000 // documents of all files
)

// payloads reads sample files: one JSON document, one per line, or the rows of
// a CSV file.
type payloads struct {
	split, delimiter, encoding string

	where bool // split is no flag: it is where the values of a lookup stand
}

func (p *payloads) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.split, "split", "", "jq that gives the items of a payload, as `split` of a pipeline does")
	cmd.Flags().StringVar(&p.delimiter, "delimiter", "", "of CSV files: one character or tab; found out unless given")
	cmd.Flags().StringVar(&p.encoding, "encoding", "", "of CSV files: utf-8, latin1 or windows-1252")
}

// document is one sample.
type document struct {
	value any
	raw   []byte // as read; nil behind a split
	file  string
	line  int // where it stands in a file of several; 0 for the whole file
}

// place names a document for people.
func (d document) place() string {
	if d.line > 0 {
		return fmt.Sprintf("%s:%d", d.file, d.line)
	}
	return d.file
}

// read returns the documents of all files.
func (p *payloads) read(ctx context.Context, files []string) ([]document, error) {
	var out []document
	for _, file := range files {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			return nil, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
		case info.IsDir():
			return nil, failf(exitLoad, "%s is a folder; name its files, such as %s/*.json", file, file)
		case info.Size() > maxSampleFile:
			return nil, failf(exitLoad, "%s has more than 64 MiB; a part of it will do as a sample", file)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
		}
		list, err := p.documents(file, raw)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) > maxSampleCount {
			return nil, failf(exitLoad, "there are more than %d documents; a part of them will do", maxSampleCount)
		}
	}
	if len(out) == 0 {
		return nil, failf(exitLoad, "there is no document in %s", strings.Join(files, ", "))
	}
	return p.apart(ctx, out)
}

func (p *payloads) documents(file string, raw []byte) ([]document, error) {
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".csv", ".tsv", ".tab":
		return p.rows(file, raw, ext != ".csv")
	case ".ndjson", ".jsonl":
		return lines(file, raw)
	case ".xml", ".edi", ".x12", ".edifact", ".idoc", ".xlsx", ".xls", ".yaml", ".yml":
		return nil, failf(exitLoad, "%s cannot be read: samples are JSON, NDJSON or CSV; what else comes in, crossdock takes as one text (`format: text`)", file)
	}
	v, err := message.Decode(raw, message.Unlimited)
	if err == nil {
		return []document{{value: v, raw: raw, file: file}}, nil
	}
	// One document per line goes by many names.
	if list, lerr := lines(file, raw); lerr == nil && len(list) > 1 {
		return list, nil
	}
	return nil, failf(exitLoad, "%s: %s", file, err)
}

func lines(file string, raw []byte) ([]document, error) {
	var out []document
	r := ndjson.Open(bytes.NewReader(raw), ndjson.Options{MaxLine: maxSampleFile})
	err := each(r, func(rec format.Record) error {
		v, err := message.Decode(rec.Raw, message.Unlimited)
		if err != nil {
			return fmt.Errorf("line %d: %w", rec.Line, err)
		}
		out = append(out, document{v, rec.Raw, file, rec.Line})
		return nil
	})
	if err != nil {
		return nil, failf(exitLoad, "%s: %s", file, err)
	}
	return out, nil
}

func (p *payloads) rows(file string, raw []byte, tab bool) ([]document, error) {
	o := csv.Options{Encoding: p.encoding}
	if !slices.Contains([]string{"", "utf-8", "latin1", "windows-1252"}, p.encoding) {
		return nil, fmt.Errorf("there is no encoding `%s`: use utf-8, latin1 or windows-1252", p.encoding)
	}
	var err error
	switch {
	case p.delimiter != "":
		o.Delimiter, err = csv.Delimiter(p.delimiter)
	case tab:
		o.Delimiter = '\t'
	default:
		o.Delimiter = delimiterOf(raw)
	}
	if err != nil {
		return nil, err
	}
	var out []document
	err = each(csv.Open(bytes.NewReader(raw), o), func(rec format.Record) error {
		out = append(out, document{rec.Value, rec.Raw, file, rec.Line})
		return nil
	})
	if err != nil {
		// What a definition writes as a key is a flag here.
		text := strings.Replace(err.Error(), "`encoding: latin1`", "`--encoding latin1`", 1)
		if strings.Contains(text, "fields, but there are") {
			text += "; name another --delimiter, or, where lines differ by what they are, read the file as text: `format: text` of the trigger"
		}
		return nil, failf(exitLoad, "%s: %s", file, text)
	}
	return out, nil
}

// delimiterOf is the character that stands most often in the first line.
func delimiterOf(raw []byte) byte {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	best, most := byte(','), bytes.Count(first, []byte(","))
	for _, c := range []byte(";\t|") {
		if n := bytes.Count(first, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

func each(r format.Reader, f func(format.Record) error) error {
	for n := 0; ; n++ {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n >= maxSampleCount {
			err = fmt.Errorf("there are more than %d records; a part of them will do as a sample", maxSampleCount)
		}
		if err == nil {
			err = f(rec)
		}
		if err != nil {
			return err
		}
	}
}

// apart gives the items of the documents where a split was named.
func (p *payloads) apart(ctx context.Context, docs []document) ([]document, error) {
	if p.split == "" {
		return docs, nil
	}
	var found diag.List
	c := &cell.Compiler{Diags: &found}
	prog := c.JQ(spec.Cell{Node: ast.Verbatim("--split", p.split)}, cell.Context{})
	if prog == nil || found.HasErrors() {
		return nil, failf(exitUsage, "%s: %s%s", p.asked(), found[0].Message, hinted(found[0]))
	}
	var out []document
	for _, d := range docs {
		scope := &cell.Scope{Ctx: ctx, Original: d.value}
		values, err := scope.All(prog, d.value)
		if err != nil {
			if said := lacking(p.split, docs); said != "" {
				return nil, failf(exitLoad, "%s: %s gives nothing to go through%s", d.place(), p.asked(), said)
			}
			return nil, failf(exitLoad, "%s: %s: %s%s", d.place(), p.asked(), err, absent(err))
		}
		for _, v := range values {
			items, list := v.([]any)
			if !list {
				items = []any{v}
			}
			for _, item := range items {
				out = append(out, document{value: item, file: d.file, line: d.line})
			}
		}
		if len(out) > maxSampleCount {
			return nil, failf(exitLoad, "%s gives more than %d items; a part of them will do as a sample", p.asked(), maxSampleCount)
		}
	}
	if len(out) == 0 {
		return nil, failf(exitLoad, "%s gives no item%s", p.asked(), lacking(p.split, docs))
	}
	return out, nil
}

// asked is the jq that takes documents apart, as it was given.
func (p *payloads) asked() string {
	if p.where {
		return "`" + p.split + "`"
	}
	return "--split " + p.split
}

// hinted is what to type instead, behind a sentence.
func hinted(d diag.Diagnostic) string {
	if d.Hint == "" {
		return ""
	}
	return "; " + d.Hint
}

// absent says how to read what some documents do not have.
func absent(err error) string {
	if !strings.Contains(err.Error(), "iterate over: null") {
		return ""
	}
	return "; where a list may be missing, write `[]?`"
}

// profileOf returns what all documents tell.
func profileOf(docs []document) *profile.Profile {
	p := profile.New()
	for _, d := range docs {
		p.Add(d.value)
	}
	// The order of names is settled by the first documents.
	for _, d := range docs[:min(len(docs), 20)] {
		if d.raw != nil {
			p.Follow(d.raw)
		}
	}
	return p
}

// sources names the files of documents.
func sources(files []string) []string {
	var out []string
	for _, f := range files {
		out = append(out, filepath.Base(f))
	}
	return out
}
