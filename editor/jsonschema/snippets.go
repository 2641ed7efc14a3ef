package jsonschema

// snippet is what editors offer to put in; ${1:x} are its blanks.
type snippet struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Body        any    `json:"body"`
}

// snippets are offered where a definition of a kind begins, or where something
// of a struct may stand.
var snippets = map[string][]snippet{
	"mapping": {{"mapping", "A field table from one document to another.", object{
		"mapping": "${1:name}", "samples": []any{"${2:samples/example.json}"}, "fields": object{"${3:target}": "${4:.source}"}}}},
	"lookup": {{"lookup", "A crosswalk of codes.", object{
		"lookup": "${1:name}", "on_miss": "${2|error,pass,default|}", "rows": object{"${3:code}": "${4:value}"}}}},
	"schema": {{"schema", "The contract of a document or event.", object{
		"schema": "${1:name}@1", "fields": object{"${2:field}": object{"type": "${3:string}", "required": true}}}}},
	"connection": {{"http connection", "A system called over HTTP.", object{
		"connection": "${1:name}", "type": "http", "base_url": "${2:https://api.example.com}",
		"operations": object{"${3:create_order}": object{"post": "${4:/orders}", "repeat": "${5|keyed,safe,check,never|}"}}}}},
	"pipeline": {{"webhook pipeline", "A webhook, a mapping, and one send.", object{
		"pipeline": "${1:name}", "trigger": object{"http": object{"path": "${2:/hooks/orders}", "reply": 202}}, "key": []any{"${3:.orderNo}"},
		"steps": []any{object{"map": "${4:mapping}"}, object{"send": "${5:connection.operation}"}}}}},
	"test": {{"test of a mapping", "One case.", object{
		"test": "mapping ${1:name}", "cases": []any{object{"name": "${2:as it comes}", "given": "${3:samples/example.json}", "expect": object{"${4:target}": "${5:value}"}}}}}},
	"environment": {{"environment", "Variables and secrets of one place to run.", object{
		"environment": "${1:prod}", "vars": object{"${2:name}": "${3:value}"}, "secrets": object{"provider": "env", "prefix": "${4:XD_}"}}}},
	"crossdock": {{"workspace", "Defaults and one policy.", object{
		"crossdock": 1, "defaults": object{"policy": "standard", "zone": "UTC"},
		"policies": object{"standard": object{"retry": object{"attempts": 8, "wait": "5s", "grow": 2, "max_wait": "10m"}, "remember": "40d"}}}}},
	"Row": {
		{"required text", "A text that must be there, trimmed.", object{"from": "${1:.source}", "required": true, "trim": true}},
		{"lookup", "A code translated by a crosswalk.", object{"from": "${1:.code}", "lookup": "${2:table}"}},
		{"date", "A date in another layout.", object{"from": "${1:.date}", "type": "date", "parse": "${2:dd.MM.yyyy}"}},
		{"number", "A number as people write it.", object{"from": "${1:.amount}", "type": "${2:decimal(2)}", "parse": "${3:1.234,56}"}},
		{"list", "One row set per item.", object{"each": "${1:.items}", "fields": object{"${2:target}": "${3:.source}"}}},
		{"constant", "A fixed value.", object{"const": "${1:value}"}},
	},
	"Step": {
		{"map", "Make the payload anew.", object{"map": "${1:mapping}"}},
		{"send", "Tell another system.", object{"send": "${1:connection.operation}", "map": "${2:mapping}"}},
		{"call", "Ask another system.", object{"call": "${1:connection.operation}", "with": object{"${2:name}": "${3:.value}"}, "as": "${4:answer}"}},
		{"emit", "Put an event on the bus.", object{"emit": "${1:schema}@1"}},
		{"route", "Choose between rules.", object{"route": object{"pick": "first",
			"rules":     []any{object{"name": "${1:name}", "when": "${2:data.status == \"NEW\"}", "to": []any{object{"send": "${3:connection.operation}"}}}},
			"otherwise": object{"dead_letter": "${4:reason}"}}}},
	},
}
