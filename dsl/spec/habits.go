package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

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
