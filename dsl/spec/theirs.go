package spec

import (
	"slices"
	"strings"
	"unicode"

	"crossdock/dsl/ast"
)

// theirs are, by the key of the language, the words that other tools have for it,
// and that people write who know what it does and not what it is called. They
// count only where the key may stand. Where a word stands for several of the keys
// that may stand at one place, the first of those counts.
var theirs = map[string][]string{
	// Rows, triggers and steps.
	"from":         {"source", "src", "path", "jq", "expr", "expression", "field", "input"},
	"const":        {"constant", "static", "fixed", "literal", "text"},
	"required":     {"mandatory", "require", "must", "optional", "nullable"},
	"each":         {"for", "foreach", "for_each", "loop", "list", "array", "items", "repeat"},
	"split":        {"foreach", "for_each", "loop"},
	"default":      {"fallback", "default_value", "else"},
	"parse":        {"date_format", "pattern", "input_format"},
	"zone":         {"timezone", "time_zone", "tz"},
	"lookup":       {"crosswalk", "translate", "dictionary", "table"},
	"true_values":  {"true"},
	"http":         {"webhook", "rest", "api"},
	"schedule":     {"cron", "timer", "interval"},
	"wait":         {"interval", "delay", "backoff", "pause", "initial_delay"},
	"poll":         {"polling"},
	"event":        {"queue", "topic", "events"},
	"route":        {"switch", "choose", "choice", "branch"},
	"expect_error": {"error"},
	"ignore":       {"skip"},
	"reply":        {"response"},
	"stub":         {"response", "answer", "mock"},
	"max_wait":     {"max_delay"},
	"encoding":     {"charset"},

	// Tables.
	"rows":        {"values", "entries", "codes", "table", "map", "mappings", "mapping", "translations", "translation", "data", "content", "contents", "pairs", "items", "dictionary", "crosswalk", "lookup_table", "zeilen", "werte"},
	"file":        {"csv", "csv_file", "filename", "file_name", "path", "source", "src", "from", "datei"},
	"on_miss":     {"not_found", "on_not_found", "on_missing", "if_missing", "missing", "miss", "unknown", "on_unknown", "otherwise", "on_error", "default_action", "if_not_found", "unmapped"},
	"ignore_case": {"case_insensitive", "nocase", "insensitive", "caseless"},

	// Connections.
	"base_url":      {"url", "uri", "endpoint", "host", "address", "server", "servers", "base", "base_path", "baseurl", "root", "link", "domain", "hostname", "location"},
	"dir":           {"path", "folder", "directory", "root", "base_dir", "base", "location", "ordner"},
	"operations":    {"endpoints", "endpoint", "actions", "methods", "paths", "calls", "requests", "routes", "resources"},
	"type":          {"datatype", "data_type", "kind", "connector", "driver", "protocol", "adapter", "provider", "typ"},
	"limits":        {"limit", "throttle", "throttling", "rate_limit", "rate_limits", "quotas"},
	"rate":          {"rate_limit", "requests_per_second", "rps", "qps", "tps", "per_second", "throughput"},
	"concurrency":   {"parallel", "parallelism", "max_connections", "max_concurrent", "max_parallel", "pool", "pool_size", "workers", "threads", "connections"},
	"timeout":       {"time_out", "max_time", "deadline", "read_timeout", "request_timeout", "connect_timeout"},
	"breaker":       {"circuit_breaker", "circuitbreaker", "circuit"},
	"maintenance":   {"downtime", "downtimes", "windows", "maintenance_windows", "maintenance_window", "closed", "offline"},
	"lasts":         {"duration", "for", "length", "time", "hours", "takes", "period", "dauer"},
	"cron":          {"schedule", "start", "starts", "begin", "begins", "at", "when", "expression", "cron_expression", "crontab", "time", "times", "from"},
	"repeat":        {"idempotent", "idempotency", "retry_safe", "retryable", "retry"},
	"request":       {"schema", "request_schema", "input", "request_body", "body_schema", "payload", "input_schema"},
	"response":      {"response_schema", "output", "result", "output_schema", "returns"},
	"query":         {"params", "query_params", "query_parameters", "parameters", "querystring", "query_string", "search", "args"},
	"headers":       {"header", "http_headers"},
	"found_when":    {"when", "condition", "if", "exists_when", "found_if", "found", "success_when"},
	"success_when":  {"success", "success_if", "ok_when", "ok_if", "ok", "success_codes", "success_status", "expected_status", "status_codes", "accept_status", "valid_when", "success_condition"},
	"write":         {"filename", "file_name", "file", "path", "save", "target", "to", "name", "put", "create", "save_as"},
	"append":        {"add", "append_to"},
	"body":          {"format", "content", "json", "data", "payload", "response", "answer", "result", "type", "encoding", "text"},
	"text":          {"message", "msg", "line", "log", "format", "template"},
	"bearer":        {"token", "bearer_token", "access_token", "jwt"},
	"api_key":       {"apikey", "key", "header"},
	"oauth2":        {"oauth", "client_credentials", "oidc"},
	"user":          {"username", "user_name", "login", "name", "benutzer"},
	"password":      {"pass", "passwd", "pwd", "secret", "passwort"},
	"client_secret": {"secret", "password", "client_password", "key"},
	"client_id":     {"id", "client", "user", "username", "app_id", "application_id"},
	"token_path":    {"token", "token_endpoint", "path"},
	"token_url":     {"token_uri", "token_endpoint", "url", "auth_url"},
	"scopes":        {"scope"},
	"secrets":       {"secret", "key", "keys", "signing_key", "signing_secret", "shared_secret", "secret_key", "password", "passwords"},
	"keys":          {"key", "value", "values", "secret", "secrets", "api_key", "api_keys", "token", "tokens"},
	"value":         {"key", "secret", "token", "api_key", "password"},
	"secret":        {"key", "secrets", "signing_key", "shared_secret", "secret_key", "password"},
	"header":        {"signature_header", "header_name", "headers", "name", "signature"},
	"algorithm":     {"algo", "hash", "digest", "alg"},

	// Pipelines.
	"trigger":     {"on", "source", "triggers", "input", "start", "event", "when", "from", "listen", "subscribe", "inbound"},
	"accept":      {"schema", "input", "input_schema", "accepts", "contract", "validate", "expects", "request", "body"},
	"steps":       {"tasks", "do", "stages", "jobs", "flow", "pipeline", "process", "run", "actions", "then", "processors", "schritte"},
	"path":        {"url", "uri", "endpoint", "route", "address", "location", "pattern", "glob", "files", "file", "filename", "file_name", "include", "mask", "folder", "directory", "source", "pfad"},
	"format":      {"output_format", "type", "content_type", "file_type", "kind", "parser", "encoding", "codec"},
	"after":       {"on_success", "then", "when_done", "done", "post", "on_done", "after_read", "finally"},
	"on_bad_file": {"on_error", "on_failure", "on_bad", "error", "bad_file", "errors", "on_invalid"},
	"move_to":     {"archive", "move", "to", "target", "folder", "dir", "directory", "path", "into"},
	"call":        {"invoke", "operation", "from", "url", "source", "request", "endpoint", "get", "send", "op", "uses", "connection"},
	"every":       {"interval", "period", "frequency", "cron", "schedule", "each", "poll_interval", "delay", "wait"},
	"save":        {"field", "value", "column", "from", "path", "on", "key", "property", "store", "watermark"},
	"as":          {"param", "parameter", "name", "into", "query", "placeholder", "register", "save_as", "result", "output", "id", "variable", "var", "store_as", "assign", "bind"},
	"start":       {"initial", "from", "since", "default", "begin", "initial_value", "start_at", "first", "start_value"},
	"pick":        {"mode", "match", "strategy", "type", "policy", "kind", "how", "select", "choose"},
	"rules":       {"cases", "branches", "choices", "routes", "conditions", "case", "rule", "when", "paths", "options", "regeln"},
	"otherwise":   {"else", "default", "fallback", "none", "no_match", "other", "catch_all", "sonst"},
	"when":        {"if", "condition", "only_if", "filter", "where", "expression", "expr", "test", "matches", "match", "rule", "predicate", "unless", "wenn", "guard", "criteria"},
	"to":          {"destination", "steps", "action", "actions", "then", "send", "do", "run", "target", "targets", "call", "go_to", "goto"},
	"name":        {"id", "rule", "title", "label", "description", "it", "case", "key", "test", "scenario"},
	"send":        {"post", "put", "call", "target", "to", "uses", "connector", "operation", "action", "http", "deliver", "destination", "push", "write", "notify", "output", "receiver", "channel", "url", "forward"},
	"emit":        {"publish", "event", "raise", "fire", "broadcast", "produce"},
	"with":        {"args", "arguments", "params", "parameters", "body", "payload", "data", "inputs", "input", "values", "fields", "variables", "mit"},
	"on_fail":     {"on_error", "catch", "on_failure", "rescue", "error_handler", "on_exception", "except", "if_fails"},
	"verify":      {"auth", "authentication", "security", "signature", "auth_by", "authenticate", "credentials", "authorization"},
	"key":         {"id", "unique", "idempotency", "idempotency_key", "dedupe", "dedup", "deduplicate", "unique_key", "primary_key", "identity", "dedupe_key", "message_id"},
	"order_by":    {"partition_key", "partition_by", "partition", "group_by", "ordering_key", "sort_by", "order", "sequence"},
	"map":         {"transform", "mapping", "transformation", "template", "using"},

	// Policies, alerts, environments.
	"dead_letter":    {"error", "fail", "reject", "dlq", "dead_letter_queue", "dlx", "deadletter", "dead_letters"},
	"keep":           {"ttl", "retention", "retain", "expire", "expires", "max_age", "keep_for"},
	"box":            {"queue", "name", "topic", "mailbox"},
	"attempts":       {"max_attempts", "retries", "count", "max", "max_retries", "retry", "tries", "max_tries", "times", "limit"},
	"grow":           {"factor", "multiplier", "backoff_factor", "exponent", "backoff", "rate", "exponential"},
	"remember":       {"dedupe_window", "idempotency_ttl", "memory", "window"},
	"priority":       {"prio", "importance", "urgency"},
	"extends":        {"base", "inherits", "parent", "from", "based_on"},
	"on":             {"events", "event", "when", "for", "if", "kinds", "triggers", "conditions"},
	"vars":           {"variables", "env", "values", "environment_variables", "parameters", "settings", "config", "constants", "variablen"},
	"provider":       {"type", "from", "source", "kind", "backend", "store"},
	"max_body":       {"max_size", "max_body_size", "body_limit", "body", "client_max_body_size", "size"},
	"environment":    {"env", "profile", "stage"},
	"open_after":     {"threshold", "failures", "failure_threshold", "max_failures", "errors", "after"},
	"probe_after":    {"reset_timeout", "half_open_after", "cooldown", "wait", "retry_after", "reset_after"},
	"on_dead_letter": {"on_dlq"},

	// Mappings and schemas.
	"input":       {"source", "from", "source_schema", "input_schema", "in", "accept", "quelle"},
	"output":      {"target", "to", "target_schema", "schema", "output_schema", "out", "result", "destination", "ziel"},
	"fields":      {"properties", "rows", "columns", "mappings", "mapping", "attributes", "targets", "rules", "felder", "map"},
	"let":         {"vars", "variables", "set", "define", "helpers", "constants", "locals", "with"},
	"options":     {"enum", "values", "choices", "allowed", "one_of", "allowed_values", "in"},
	"max_length":  {"maxlength", "length", "truncate", "size", "max", "max_len"},
	"samples":     {"sample", "examples", "example", "tests"},
	"closed":      {"strict", "sealed"},
	"note":        {"comment", "remark", "description", "doc", "documentation", "info", "bemerkung"},
	"json_schema": {"jsonschema", "$ref", "ref", "schema_file"},
	"delimiter":   {"separator", "sep", "delim", "field_separator", "trennzeichen"},
	"event_name":  {"event", "topic", "event_type"},

	// Tests.
	"cases":    {"tests", "scenarios", "examples", "it", "steps", "specs"},
	"given":    {"input", "payload", "sample", "in", "message", "data", "body", "when", "source", "event", "file"},
	"expect":   {"expected", "output", "assert", "then", "result", "expects", "out", "want", "should", "verify", "results", "expectation"},
	"stubs":    {"mocks", "responses", "answers", "mock", "fakes", "stubbing"},
	"emitted":  {"emits", "emit", "events", "event", "published"},
	"sent":     {"send", "sends", "calls", "requests", "called"},
	"routes":   {"route", "rule", "rules", "path", "branch", "branches"},
	"outcome":  {"status", "result", "state", "ends"},
	"status":   {"code", "status_code", "http_status", "response_code", "http_code"},
	"delay":    {"wait", "latency", "after", "sleep", "pause"},
	"absent":   {"missing", "not_present", "without", "not"},
	"of":       {"template", "extends", "from", "uses", "base", "based_on", "instance_of", "is", "von"},
	"params":   {"parameters", "values", "inputs", "arguments", "args", "settings", "variables", "vars", "with", "config", "properties", "parameter"},
	"override": {"overrides", "patch", "patches", "changes", "overlay", "customize", "modify"},
	"files":    {"file", "folder", "sftp", "ftp", "definitions", "resources", "includes", "include", "templates"},
}

// plain writes a key as the language does: clientId and client-id are client_id.
func plain(key string) string {
	var out strings.Builder
	lower := false
	for _, r := range key {
		if unicode.IsUpper(r) && lower {
			out.WriteByte('_')
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
		if r == '-' || r == ' ' {
			r = '_'
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// meant returns the first of the known keys for which people write key.
func meant(key string, known []string) string {
	key = plain(key)
	for _, name := range known {
		if slices.Contains(theirs[name], key) {
			return name
		}
	}
	return ""
}

// Stands reports whether a map has a word of other tools for what is called name
// here: it was meant, and the key is told.
func Stands(n *ast.Node, name string) bool {
	return n != nil && slices.ContainsFunc(n.Keys(), func(key string) bool { return slices.Contains(theirs[name], plain(key)) })
}
