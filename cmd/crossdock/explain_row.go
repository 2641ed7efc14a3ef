package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// rowFlags are the flags of `explain row`.
type rowFlags struct {
	dir, env, in string
	json         bool
}

func (a *app) explainRowCommand() *cobra.Command {
	var f rowFlags
	cmd := &cobra.Command{
		Use: "row MAPPING TARGET", Args: cobra.ExactArgs(2),
		Short: "Show how a row of a mapping comes to its value, step by step",
		Example: `  crossdock explain row order-to-released ship_to.name
  crossdock explain row order-to-released lines[].qty.value --in so-4711.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.explainRow(cmd.Context(), args[0], args[1], f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&f.in, "in", "", "file with a JSON payload or CSV rows, of which it is the first; the first sample of the mapping unless given")
	cmd.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	return cmd
}

// stage is one step of a row on its way to the value.
type stage struct {
	Stage  string   `json:"stage"`
	Text   string   `json:"text,omitempty"` // what is written in the row
	Value  any      `json:"value"`          // after this stage; inside lists one value per item
	Errors []string `json:"errors,omitempty"`
}

func (a *app) explainRow(ctx context.Context, name, target string, f rowFlags) error {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	m := findMapping(ws, name)
	if m == nil {
		return failf(exitUsage, "there is no mapping `%s`%s", name, suggestion(name, ws.Mappings))
	}
	if mine := about(list, m.File); !runs(m, mine) {
		a.print(mine, f.dir, "text")
		return failf(exitLoad, "the mapping has errors")
	}
	names := strings.Split(strings.ReplaceAll(target, "[]", ""), ".")
	row, written := findRow(&m.Mapping.Object, m.Spec.Fields, names)
	if row == nil {
		return failf(exitUsage, "the mapping has no row `%s`%s", target, suggestion(target, targets(m.Spec.Fields, "")))
	}
	in, err := a.payload(ctx, f.dir, f.in, ws, m)
	if err != nil {
		return err
	}
	scope := testrun.ScopeOf(ctx, ws, m, time.Now(), nil, in)
	stages := walkRow(m, scope, in, names, row, written)
	if f.json {
		return a.printJSON(stages)
	}
	fmt.Fprintf(a.Stdout, "row %s of mapping %s, %s\n", target, m.Name, row.Span)
	table := [][]string{{"", "WRITTEN", "VALUE"}}
	var bad []string
	for _, s := range stages {
		value := short(compact(s.Value), 60)
		if s.Value == nil {
			value = "(nothing)"
		}
		if len(s.Errors) > 0 {
			value, bad = "FAIL", s.Errors
		}
		table = append(table, []string{s.Stage, short(oneLine(s.Text), 46), value})
	}
	a.table(table)
	for _, e := range bad {
		fmt.Fprintln(a.Stdout, e)
	}
	if len(bad) > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

// findRow returns the compiled row at a target and how it is written.
func findRow(o *mapping.Object, fields spec.Fields[spec.Row], names []string) (*mapping.Row, *spec.Row) {
	for i := range fields {
		parts := strings.Split(fields[i].Key.Text, ".")
		if len(parts) > len(names) || strings.Join(parts, ".") != strings.Join(names[:len(parts)], ".") {
			continue
		}
		row := rowAt(o, parts)
		if row == nil {
			continue
		}
		if len(parts) == len(names) {
			return row, &fields[i].Value
		}
		if row.Fields != nil {
			return findRow(row.Fields, fields[i].Value.Fields, names[len(parts):])
		}
	}
	return nil, nil
}

func rowAt(o *mapping.Object, names []string) *mapping.Row {
	for i := range o.Fields {
		f := &o.Fields[i]
		switch {
		case f.Name != names[0]:
		case len(names) == 1:
			return f.Row
		case f.Nested != nil:
			return rowAt(f.Nested, names[1:])
		}
	}
	return nil
}

// targets are the names of all rows.
func targets(fields spec.Fields[spec.Row], prefix string) map[string]bool {
	out := map[string]bool{}
	for _, f := range fields {
		out[prefix+f.Key.Text] = true
		below := prefix + f.Key.Text + "."
		if f.Value.Each.Set() {
			below = prefix + f.Key.Text + "[]."
		}
		for t := range targets(f.Value.Fields, below) {
			out[t] = true
		}
	}
	return out
}

// walkRow runs a row again and again, each time with one more of its options.
func walkRow(m *compile.Mapping, scope *cell.Scope, in any, names []string, row *mapping.Row, written *spec.Row) []stage {
	var out []stage
	partial := &mapping.Row{Target: row.Target, Span: row.Span, From: row.From, IsConst: row.IsConst, Const: row.Const, Each: row.Each, Fields: row.Fields}
	add := func(name, text string) bool {
		s := stage{Stage: name, Text: text}
		v, err := only(m.Mapping, names, partial).Apply(scope, in)
		if err != nil {
			s.Errors = rowMessages(err)
		} else {
			s.Value = values(v, names)
		}
		out = append(out, s)
		return err == nil
	}
	if row.When != nil {
		text := row.When.Source()
		partial.When = row.When
		if !add("when", text) {
			return out
		}
		if out[0].Value == nil {
			out[0].Text += "   (false: left out, or there is no value)"
		}
	}
	first, text := "from", ""
	switch {
	case row.IsConst:
		first, text = "const", compact(row.Const)
	case row.Each != nil:
		first, text = "each", row.Each.Source()
	case row.From != nil:
		text = row.From.Source()
	default:
		first = "fields"
	}
	if !add(first, text) {
		return out
	}
	for _, next := range []struct {
		name, text string
		set        bool
		apply      func()
	}{
		{"lookup", written.Lookup.Value, row.Lookup != nil, func() { partial.Lookup, partial.Column = row.Lookup, row.Column }},
		{"default", compact(row.Default), row.HasDefault, func() { partial.HasDefault, partial.Default = true, row.Default }},
		{"type", conversion(written), row.Convert != nil, func() { partial.Convert = row.Convert }},
		{"trim", "true", row.Trim, func() { partial.Trim = true }},
		{"max_length", fmt.Sprint(row.MaxLength), row.MaxLength > 0, func() { partial.MaxLength = row.MaxLength }},
		{"required", "true", row.Required, func() { partial.Required = true }},
	} {
		if !next.set {
			continue
		}
		if next.apply(); !add(next.name, next.text) {
			return out
		}
	}
	return out
}

// conversion is what a row says of its type.
func conversion(r *spec.Row) string {
	var parts []string
	for _, o := range []struct {
		name string
		text spec.Text
	}{{"", r.Type}, {"parse ", r.Parse}, {"format ", r.Format}, {"zone ", r.Zone}, {"unit ", r.Unit}} {
		if o.text.Set() {
			parts = append(parts, o.name+o.text.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// only is the mapping with a single row, at its place.
func only(m *mapping.Mapping, names []string, row *mapping.Row) *mapping.Mapping {
	out := *m
	out.Object = *prune(&m.Object, names, row)
	return &out
}

func prune(o *mapping.Object, names []string, row *mapping.Row) *mapping.Object {
	for i := range o.Fields {
		f := o.Fields[i]
		if f.Name != names[0] {
			continue
		}
		switch {
		case len(names) == 1:
			f.Row = row
		case f.Nested != nil:
			f.Nested = prune(f.Nested, names[1:], row)
		case f.Row != nil && f.Row.Fields != nil:
			around := *f.Row
			around.Fields = prune(f.Row.Fields, names[1:], row)
			around.Required = false
			f.Row = &around
		}
		return &mapping.Object{Fields: []mapping.Field{f}}
	}
	return &mapping.Object{}
}

// values takes the value at a target out of a result; lists on the way give one
// value per item.
func values(v any, names []string) any {
	for i, name := range names {
		if list, ok := v.([]any); ok {
			out := make([]any, 0, len(list))
			for _, item := range list {
				out = append(out, values(item, names[i:]))
			}
			return out
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func rowMessages(err error) []string {
	var me *mapping.Error
	if !errors.As(err, &me) {
		return []string{err.Error()}
	}
	var out []string
	for _, r := range me.Rows {
		text := r.Field + " (" + r.Code + "): " + r.Message
		if r.Hint != "" {
			text += "; " + r.Hint
		}
		out = append(out, text)
	}
	return out
}
