package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

// habits are the keys that other tools have for what a key of the language
// means. A key has several meanings where it stands at several places; what is
// known at the place decides.
var habits = map[string][]string{
	"source": {"from", "trigger"}, "src": {"from"}, "path": {"from"}, "jq": {"from"}, "expr": {"from"}, "expression": {"from"}, "field": {"from"}, "input": {"given", "from"},
	"constant": {"const"}, "static": {"const"}, "fixed": {"const"}, "literal": {"const"}, "text": {"const"},
	"mandatory": {"required"}, "require": {"required"}, "must": {"required"}, "optional": {"required"}, "nullable": {"required"},
	"for": {"each"}, "foreach": {"each", "split"}, "for_each": {"each", "split"}, "loop": {"each", "split"}, "list": {"each"}, "array": {"each"}, "items": {"each"}, "repeat": {"each"},
	"fallback": {"default"}, "default_value": {"default"}, "else": {"default"},
	"if": {"when"}, "condition": {"when"}, "only_if": {"when"}, "filter": {"when"}, "where": {"when"},
	"datatype": {"type"}, "data_type": {"type"}, "date_format": {"parse"}, "pattern": {"parse"}, "input_format": {"parse"}, "output_format": {"format"},
	"timezone": {"zone"}, "time_zone": {"zone"}, "tz": {"zone"}, "crosswalk": {"lookup"}, "translate": {"lookup"}, "dictionary": {"lookup"}, "table": {"lookup"},
	"maxlength": {"max_length"}, "length": {"max_length"}, "truncate": {"max_length"}, "comment": {"note"}, "remark": {"note"}, "true": {"true_values"},
	"webhook": {"http"}, "rest": {"http"}, "api": {"http"}, "cron": {"schedule"}, "timer": {"schedule"}, "interval": {"schedule", "every", "wait"}, "file": {"files"}, "folder": {"files"},
	"sftp": {"files"}, "ftp": {"files"}, "polling": {"poll"}, "queue": {"event"}, "topic": {"event"}, "events": {"event"},
	"post": {"send"}, "put": {"send"}, "request": {"call"}, "invoke": {"call"}, "get": {"call"}, "transform": {"map"}, "mapping": {"map"},
	"publish": {"emit"}, "switch": {"route"}, "choose": {"route"}, "choice": {"route"}, "branch": {"route"}, "error": {"dead_letter", "expect_error"}, "fail": {"dead_letter"}, "reject": {"dead_letter"}, "skip": {"ignore"},
	"auth": {"verify"}, "authentication": {"verify"}, "security": {"verify"}, "url": {"base_url", "path"}, "uri": {"base_url", "path"}, "endpoint": {"base_url", "path"}, "host": {"base_url"}, "address": {"base_url"},
	"response": {"reply", "stub"}, "answer": {"stub"}, "mock": {"stub", "stubs"}, "mocks": {"stubs"},
	"delay": {"wait"}, "backoff": {"wait"}, "pause": {"wait"}, "initial_delay": {"wait"}, "max_attempts": {"attempts"}, "retries": {"attempts"}, "count": {"attempts"}, "max": {"attempts"},
	"factor": {"grow"}, "multiplier": {"grow"}, "max_delay": {"max_wait"},
	"payload": {"given"}, "sample": {"given", "samples"}, "expected": {"expect"}, "output": {"expect"}, "assert": {"expect"}, "then": {"expect", "to"}, "title": {"name"},
	"schema": {"accept"}, "id": {"key"}, "idempotency_key": {"key"}, "unique": {"key"}, "on": {"trigger"}, "actions": {"steps"}, "tasks": {"steps"}, "do": {"steps", "to"},
	"rows": {"rows"}, "values": {"rows"}, "entries": {"rows"}, "codes": {"rows"}, "properties": {"fields"}, "columns": {"fields"}, "enum": {"options"},
	"destination": {"to"}, "target": {"to"}, "call": {"send"}, "move": {"move_to"}, "archive": {"move_to"}, "separator": {"delimiter"}, "charset": {"encoding"},
}

// said are keys that no other key stands for, with what to write instead.
var said = []struct {
	key, beside, hint string
}{
	{"value", "const", "write `from:` for a field, `const:` for a fixed value"},
	{"case_sensitive", "ignore_case", "write `ignore_case: true` where upper and lower case are the same"},
	{"casesensitive", "ignore_case", "write `ignore_case: true` where upper and lower case are the same"},
	{"additionalproperties", "closed", "write `closed: true` where no other fields may be there"},
	{"additional_properties", "closed", "write `closed: true` where no other fields may be there"},
	{"required", "closed", "write `required: true` beside the field: order: {type: string, required: true}"},
	{"upper", "from", "write it in the cell: from: .name | ascii_upcase"},
	{"uppercase", "from", "write it in the cell: from: .name | ascii_upcase"},
	{"lower", "from", "write it in the cell: from: .name | ascii_downcase"},
	{"lowercase", "from", "write it in the cell: from: .name | ascii_downcase"},
	{"round", "from", "write it as the type: decimal(2) rounds to two decimals"},
	{"concat", "from", "write it in the cell: from: .first + \" \" + .last"},
	{"every", "cron", "write a schedule in five fields: `*/5 * * * *` is every five minutes"},
	{"interval", "cron", "write a schedule in five fields: `*/5 * * * *` is every five minutes"},
	{"then", "route", "steps behind a `when` are the ones of a yes; where both ways go on, write a `route`"},
	{"else", "route", "where both ways go on, write a `route` with `rules` and `otherwise`"},
	{"sent", "expect_error", "write expect: {sent: ...}"},
	{"attempts", "expect_error", "write expect: {attempts: ...}"},
	{"emitted", "expect_error", "write expect: {emitted: ...}"},
	{"routes", "expect_error", "write expect: {routes: ...}"},
	{"outcome", "expect_error", "write expect: {outcome: ...}"},
}

// meant returns the key that stands here for what a key of another tool says.
func meant(key string, known []string) string {
	if name := habit(key, known); name != "" || otherwise(key, known) != "" {
		return name
	}
	return synonym(plain(key), known)
}

// habit returns the first of the known keys that another tool calls key.
func habit(key string, known []string) string {
	for _, name := range habits[plain(key)] {
		if slices.Contains(known, name) {
			return name
		}
	}
	return ""
}

// asks reports whether a key was written for one that is missing.
func asks(key, missing string) bool {
	for _, s := range said {
		if s.key == strings.ToLower(key) && s.beside == missing {
			return true
		}
	}
	return false
}

// otherwise says what to write instead of a key that has no counterpart.
func otherwise(key string, known []string) string {
	for _, s := range said {
		if s.key == strings.ToLower(key) && slices.Contains(known, s.beside) {
			return s.hint
		}
	}
	return ""
}

// inFront shows the map that a single value was meant to stand in.
func inFront(n *ast.Node, t reflect.Type) string {
	if n.Kind != ast.Scalar || n.Empty {
		return ""
	}
	names := Keys(t)
	switch {
	case slices.Contains([]string{"none", "no", "false", "off", "null", "disabled"}, strings.ToLower(n.Text)) && !slices.Contains(names, n.Text):
		return "leave the key out where there is none"
	case slices.Contains(names, n.Text) && t.Kind() == reflect.Struct && t.FieldByIndex(describe(t).byName[n.Text].index).Type.Kind() == reflect.Bool:
		return "write {" + n.Text + ": true}"
	case slices.Contains(names, n.Text):
		return "write {" + n.Text + ": ...}, with what belongs to it in the place of the dots"
	case len(names) > 0:
		return "write a name in front of it, such as {" + names[0] + ": " + n.Text + "}"
	}
	return ""
}

// sheets are words for what a spreadsheet writes.
var sheets = []string{"excel", "xls", "xlsx", "xlsm", "ods", "spreadsheet", "sheet"}

// Spreadsheet adds to the last finding, which is about a format, what to do with
// the files of a spreadsheet: they are no messages.
func (d *Decoder) Spreadsheet(format string) {
	if !slices.Contains(sheets, strings.ToLower(format)) {
		return
	}
	f := &(*d.Diags)[len(*d.Diags)-1]
	f.Short, f.Fixes = "spreadsheets are not read as messages", nil
	f.Hint = "save it as CSV, which a `files` trigger reads: format: csv, with csv: {delimiter: \";\"} where Excel writes semicolons; `crossdock import` takes .xlsx for definitions only"
}

// iso is a length of time as ISO 8601 writes it: P40D, PT5M.
var iso = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

var spoken = regexp.MustCompile(`(?i)^(\d+(?:\.\d+)?)\s*(milliseconds?|millis|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)$`)

// duration writes a length of time as the language does, where a person said it in
// words: 5 minutes.
func duration(text string) string {
	if m := iso.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		out := ""
		for i, unit := range []string{"w", "d", "h", "m", "s"} {
			if m[i+1] != "" {
				out += m[i+1] + unit
			}
		}
		return out
	}
	m := spoken.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	unit := strings.ToLower(m[2])
	short := unit[:1]
	if unit == "ms" || strings.HasPrefix(unit, "mil") || strings.HasPrefix(unit, "ms") {
		short = "ms"
	}
	if out := m[1] + short; out != text {
		if _, ok := ParseDuration(out); ok {
			return out
		}
	}
	return ""
}

// yesNo are words that other tools take for true and false.
var yesNo = map[string]string{"yes": "true", "y": "true", "on": "true", "1": "true", "ja": "true", "no": "false", "n": "false", "off": "false", "0": "false", "nein": "false", "true": "true", "false": "false"}

// leadingNumber is the number that a text begins with.
var leadingNumber = regexp.MustCompile(`^\d+`)

// Stands reports whether a map has a key of another tool for what is called name
// here: it was meant, and the key is told.
func Stands(n *ast.Node, name string) bool {
	return n != nil && slices.ContainsFunc(n.Keys(), func(key string) bool { return slices.Contains(habits[strings.ToLower(key)], name) })
}
