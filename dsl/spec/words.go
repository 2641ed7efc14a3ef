package spec

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// words are, by the word that a key of the language takes, what other tools and
// people say for it.
var words = map[string][]string{
	"every": {"all", "each", "any", "multiple", "many", "parallel", "alle"}, "first": {"one", "single", "exclusive", "first_match", "xor", "switch"},
	"keyed": {"key", "with_key", "idempotency_key"}, "safe": {"idempotent", "true", "yes", "always", "retry"}, "never": {"no", "false", "once", "at_most_once"}, "check": {"verify", "look", "lookup"},
	"run_once": {"once", "latest", "last", "one"}, "run_all": {"all", "every", "catch_up", "catchup", "backfill", "each"},
	"skip": {"ignore", "drop", "discard", "no"}, "pass": {"ignore", "keep", "pass_through", "passthrough", "skip", "original", "input", "same"},
	"error": {"fail", "raise", "throw", "exception", "reject", "strict", "abort", "fehler"}, "default": {"fallback", "value", "constant", "use_default", "other"},
	"latin1": {"iso_8859_1", "iso8859_1", "iso88591", "latin_1", "l1"}, "windows-1252": {"cp1252", "ansi", "win1252", "windows1252", "1252", "windows"}, "utf-8": {"utf8", "unicode", "utf_8", "utf_8_bom"},
	"critical": {"highest", "urgent", "blocker", "emergency", "very_high"}, "high": {"important", "major", "hoch"}, "normal": {"medium", "middle", "standard", "mittel"}, "low": {"minor", "lowest", "background", "bulk", "niedrig"},
	"delivered": {"success", "successful", "ok", "succeeded", "done", "sent", "completed", "passed"}, "dead": {"dead_letter", "failed", "error", "dlq", "failure"},
	"filtered": {"ignored", "skipped", "dropped"}, "rejected": {"refused", "denied", "invalid"}, "held": {"quarantined", "waiting", "parked"},
	"http": {"rest", "https", "api", "web", "soap", "graphql", "odata", "webhook"}, "file": {"files", "csv", "disk", "folder", "directory", "local", "filesystem"}, "log": {"console", "stdout", "logger", "print"},
	"warn": {"warning"}, "info": {"information", "notice", "log"}, "debug": {"trace", "verbose"},
	"fsync": {"disk", "durable", "sync"}, "process": {"memory", "async"}, "replicated": {"cluster", "redis", "quorum"},
	"hold": {"wait", "park", "queue", "pause", "delay"}, "try": {"send", "attempt", "go", "continue"}, "block": {"wait", "hold", "stop"},
	"per_key": {"fifo", "key", "strict", "ordered", "by_key", "true"}, "none": {"unordered", "false", "parallel", "off"},
	"env": {"environment", "vars", "env_vars", "variables"}, "exec": {"command", "vault", "script", "program"},
	"base64": {"b64"}, "hex": {"base16", "b16", "hexadecimal"}, "sha256": {"sha_256", "hmac_sha256", "hs256"}, "sha512": {"sha_512", "hmac_sha512", "hs512"}, "sha1": {"sha_1", "hmac_sha1"},
	"dead_letter": {"dlq", "dead", "dead_letters", "failure", "error"}, "lag": {"backlog", "age", "latency", "delay"}, "breaker": {"circuit", "circuit_breaker"},
	"ndjson": {"jsonl", "json_lines", "jsonlines"}, "form": {"urlencoded", "x_www_form_urlencoded", "form_urlencoded"}, "text": {"plain", "txt", "xml", "edi", "edifact", "string"},
	"quarantine": {"hold", "keep", "park"}, "latest_per_key": {"latest", "last", "newest", "compact", "compaction"}, "multipart": {"form_data", "multipart_form_data"}, "raw": {"plain"},
	"connection": {"refused", "network", "reset"}, "timeout": {"timeouts", "time_out"}, "5xx": {"500", "server_error", "server_errors"},
	",": {"comma", "komma"}, ";": {"semicolon", "semikolon", "semi"}, "|": {"pipe", "bar"}, "tab": {`\t`, "tabulator", "tsv"}, ".": {"dot", "point", "punkt"},
}

// Word returns the one of the known words for which people say another one; "" where
// none is.
func Word(said string, known []string) string {
	said = strings.ReplaceAll(plain(strings.TrimSpace(said)), "-", "_")
	for _, w := range known {
		if slices.Contains(words[w], said) {
			return w
		}
	}
	return ""
}

// word adds to the finding f, about a value that is none of the known words, which
// of them was meant.
func (d *Decoder) word(f *diag.Diagnostic, at *ast.Node, known []string) {
	d.suggest(f, at, known)
	if w := Word(at.Text, known); w != "" && f.Short != "did you mean `"+w+"`?" {
		f.Short, f.Fixes = "here it is called `"+w+"`", nil
	}
}

var spokenRate = regexp.MustCompile(`(?i)^([1-9][0-9]*)\s*(?:requests?|calls?|reqs?|r)?\s*(?:/|per|a|an|pro|por|par)?\s*(\d*)\s*(s|secs?|seconds?|sekunden?|m|mins?|minutes?|minuten?|h|hrs?|hours?|stunden?|hourly|d|days?|tag|daily|months?|monat|monthly)\.?$`)

// rate writes a number in a time as the language does, where a person said it in
// words: 20 per second. units are those that may stand behind the stroke, by their
// first letters.
func rate(text string, units map[string]string) string {
	m := spokenRate.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || m[2] != "" && m[2] != "1" {
		return ""
	}
	unit := strings.ToLower(m[3])
	switch {
	case strings.HasPrefix(unit, "mo"):
		unit = "mo"
	case strings.HasPrefix(unit, "st"):
		unit = "h"
	case strings.HasPrefix(unit, "ta"):
		unit = "d"
	default:
		unit = unit[:1]
	}
	if units[unit] == "" {
		return ""
	}
	return m[1] + "/" + units[unit]
}

var (
	bare    = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
	share   = regexp.MustCompile(`^0?[.,]([0-9]{1,2})$`)
	failing = regexp.MustCompile(`(?i)^([1-9][0-9]*)\s*(?:failures?|errors?|times|x)?\s*(?:/|per|within|in|pro|,)\s*(.+)$`)
)

// percent writes a share as the language does: 0.2 and 20 are 20%.
func percent(text string) string {
	if m := share.FindStringSubmatch(text); m != nil {
		digits := m[1]
		if len(digits) == 1 {
			digits += "0"
		}
		if digits = strings.TrimLeft(digits, "0"); digits == "" {
			digits = "0"
		}
		return digits + "%"
	}
	if number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")); percentText.MatchString(number + "%") {
		return number + "%"
	}
	return ""
}

// failures writes so many failures within a time as the language does.
func failures(text string) string {
	m := failing.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	within := m[2]
	if d, ok := ParseDuration(within); !ok || d <= 0 {
		if within = duration(within); within == "" {
			return ""
		}
	}
	return m[1] + " in " + within
}
