package rule

import (
	"fmt"
	"strings"
	"testing"

	"crossdock/dsl/value"
)

func shapeOf(required bool, typ string) *value.Shape {
	t, err := value.ParseType(typ)
	if err != nil {
		panic(err)
	}
	return &value.Shape{Type: t, Required: required}
}

// orderShape is a shape as a schema gives it.
func orderShape() *value.Shape {
	object := func(required bool, names []string, shapes ...*value.Shape) *value.Shape {
		s := &value.Shape{Type: value.Type{Base: value.Object}, Required: required, Fields: map[string]*value.Shape{}, Order: names}
		for i, n := range names {
			s.Fields[n] = shapes[i]
		}
		return s
	}
	status := shapeOf(true, "choice")
	status.Options = []string{"NEW", "RELEASED", "CANCELLED"}
	item := object(true, []string{"sku", "qty", "price", "hazmat"}, shapeOf(true, "string"), shapeOf(true, "integer"), shapeOf(false, "decimal(2)"), shapeOf(false, "boolean"))
	items := shapeOf(true, "list")
	items.Item = item
	extras := shapeOf(false, "list")
	extras.Item = shapeOf(true, "string")
	return object(true, []string{"status", "country", "total", "attempt", "hazmat", "items", "extras", "texts", "at", "until", "free"},
		status, shapeOf(true, "string"), shapeOf(true, "decimal(2)"), shapeOf(false, "integer"), shapeOf(false, "boolean"), items, extras,
		object(false, []string{"print", "note"}, shapeOf(true, "boolean"), shapeOf(false, "string")), shapeOf(true, "datetime"), shapeOf(false, "datetime"), &value.Shape{})
}

func typedScope() Scope {
	s := everywhere()
	delete(s.Names, "response")
	delete(s.Names, "left")
	delete(s.Names, "right")
	delete(s.Names, "state")
	s.Names["data"] = orderShape()
	return s
}

func TestSoundRulesHaveNoProblems(t *testing.T) {
	for _, src := range []string{
		`data.status == "RELEASED"`, `data.total > 100`, `data.total >= 100.5`, `(data.attempt ?? 1) < 3`, `data.attempt == 3`, `data.attempt != nil and data.attempt > 3`,
		`data.attempt == nil or data.attempt > 3`, `not (data.attempt == nil) and data.attempt > 3`, `data.attempt == nil ? false : data.attempt > 1`, `data.hazmat == true`, `data.hazmat ?? false`,
		`not (data.hazmat ?? false)`, `any(data.items, .qty > 5)`, `any(data.items, (.price ?? 0) > 5)`, `any(data.items, .price != nil and .price > 5)`, `len(data.extras ?? []) > 0`,
		`data.extras != nil and len(data.extras) > 0`, `"x" in (data.extras ?? [])`, `data.texts?.print == true`, `data.texts != nil and data.texts.print`, `blank(data.texts?.note)`,
		`not blank(data.attempt) and data.attempt > 1`, `data.at < run.now`, `data.until != nil and data.at <= data.until`, `hours_between(data.at, run.now) > 3`, `data.free.any.thing > 3`, `meta.consumer.carrier == "x"`,
		`close_to(data.total, 100, 1, 1)`, `data.country in ["DE", "AT"]`, `data.country matches "^D"`, `count(data.items, .qty > 1) == len(data.items)`, `sum(data.items, .qty) > 10`, `data.items[0]?.sku == "A"`,
		`let a = data.attempt ?? 0; a > 2`, `data.status in ["NEW", "RELEASED"]`, `any(filter(data.items, .qty > 1), .sku == "A")`, `date(data.at) > date("2026-01-01")`, `data.attempt in [1, 2]`, `data.texts?.note contains "x"`,
		`data.status + "x" == "NEWx"`, `data.total * 2 > data.total`, `data.hazmat != nil and data.hazmat`, `data.hazmat == true and data.total > 1`, `within(data.at, "22:00-06:00", "Europe/Berlin")`,
		`any(data.items, .hazmat == true)`, `data.items[0].qty == 3`, `len(data.items) > 0 and data.items[0] != nil and data.items[0].qty > 3`,
	} {
		p, problems := Compile(src, typedScope())
		if p == nil || len(problems) > 0 {
			t.Errorf("%s: %+v", src, problems)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		src, at string
		kind    Kind
		message string
		more    string // in hint, short or replacement
	}{
		// Fields.
		{`data.cuntry == "DE"`, "cuntry", KindField, "`cuntry` does not exist in data", "did you mean `country`?"},
		{`data.items.qty > 3`, "qty", KindField, "data.items is a list", "any(data.items, .qty == ...)"},
		{`any(data.items, .qtty > 3)`, "qtty", KindField, "`qtty` does not exist in data.items[]", "`qty`"},
		{`data.country.code == "DE"`, "code", KindField, "data.country is text and has no field", ""},
		{`data.texts?.prnt == true`, "prnt", KindField, "`prnt` does not exist in data.texts", "`print`"},
		{`data.größe == 1`, "größe", KindField, "`größe` does not exist", ""},
		{`data["cuntry"] == "DE"`, `"cuntry"`, KindField, "does not exist", "country"},
		{`data.total[0] == 1`, "0", KindField, "data.total is a number and has no items", ""},
		{`"ü" == data.cuntry`, "cuntry", KindField, "does not exist", "country"},
		// Types.
		{`data.total == "100"`, "==", KindType, "a number is never equal to text", "write `100`, without the quotes"},
		{`"5" < data.total`, "<", KindType, "cannot work with a number and text", "write `5`, without the quotes"},
		{`data.total > "much"`, ">", KindType, "cannot work with a number and text", "compare it with one, such as `100`"},
		{`data.country == true`, "true", KindTruth, "`data.country` is text, and never `true`", ""},
		{`(data.attempt or 0) > 3`, "data.attempt or 0", KindType, "`or` joins conditions", "(data.attempt ?? 0)"},
		{`any(data.extras || [], # == 1)`, "data.extras || []", KindType, "`||` joins conditions", "(data.extras ?? [])"},
		{`data.texts.note`, "data.texts.note", KindOptional, "is text, and yes or no is needed", "not blank(data.texts.note)"},
		{`not data.texts.note`, "not data.texts.note", KindOptional, "is text, and yes or no is needed", "write `blank(data.texts.note)`"},
		{`data.extras and data.total > 1`, "data.extras", KindOptional, "is a list", "(len(data.extras ?? []) > 0)"},
		{`any(data.items, x => x.qty > 5)`, "x => x.qty > 5", KindSyntax, "no name", "write `any(data.items, .qty > 5)`"},
		{`any(data.extras ?? [], (e) => e == 5)`, "(e) => e == 5", KindSyntax, "no name", "write `any(data.extras ?? [], # == 5)`"},
		{`data.country == 5`, "==", KindType, "text is never equal to a number", ""},
		{`data.country > 5`, ">", KindType, "`>` cannot work with text and a number", "float(...)"},
		{`data.hazmat == "X"`, "==", KindType, "true or false is never equal to text", ""},
		{`data.total`, "data.total", KindResult, "must answer yes or no, but gives a number", "compare"},
		{`data.country`, "data.country", KindResult, "but gives text", ""},
		{`len(data.items)`, "len(data.items)", KindResult, "but gives a number", ""},
		{`data.country and true`, "and", KindType, "`and` cannot work with text and true or false", ""},
		{`not data.country`, "not", KindType, "", ""},
		{`any(data.country, # == "x")`, "data.country", KindField, "data.country is text and has no items", ""},
		{`any(data.items, .sku)`, "", KindType, "", ""},
		// What may be missing.
		{`data.attempt < 3`, "data.attempt", KindOptional, "`data.attempt` may be missing", "(data.attempt ?? 0)"},
		{`data.hazmat`, "data.hazmat", KindOptional, "`data.hazmat` may be missing", "(data.hazmat ?? false)"},
		{`not data.hazmat`, "data.hazmat", KindOptional, "may be missing", "(data.hazmat ?? false)"},
		{`len(data.extras) > 0`, "data.extras", KindOptional, "may be missing", "(data.extras ?? [])"},
		{`any(data.items, .price > 5)`, ".price", KindOptional, "may be missing", "(.price ?? 0)"},
		{`any(data.items, #.price > 5)`, "#.price", KindOptional, "may be missing", "(#.price ?? 0)"},
		{`data.texts.print`, "data.texts.print", KindOptional, "may be missing", "?? false"},
		{`data.attempt + 1 == 3`, "data.attempt", KindOptional, "may be missing", ""},
		{`data.until < run.now`, "data.until", KindOptional, "may be missing", "!= nil and"},
		{`upper(data.texts.note) == "X"`, "data.texts.note", KindOptional, "may be missing", `?? ""`},
		{`data.attempt != nil or data.attempt > 3`, "data.attempt", KindOptional, "may be missing", ""},
		{`data.items[0].qty > 3`, "data.items[0].qty", KindOptional, "may be missing", ""},
		{`close_to(data.attempt, 1, 1, 1)`, "data.attempt", KindOptional, "may be missing", ""},
		// Options.
		{`data.status == "RELEASD"`, `"RELEASD"`, KindOption, "data.status can never be \"RELEASD\"", "RELEASED"},
		{`data.status in ["NEW", "OLD"]`, `"OLD"`, KindOption, "can never be \"OLD\"", "options: NEW, RELEASED, CANCELLED"},
		// Names.
		{`status == "NEW"`, "status", KindName, "there is no `status` here", "data.status"},
		{`dta.status == "NEW"`, "dta", KindName, "there is no `dta` here", "`data`"},
		{`data.attempt == null`, "null", KindName, "there is no `null`", "`nil`"},
		{`data.hazmat == True`, "True", KindName, "there is no `True`", "`true`"},
		{`response.status == 200`, "response", KindName, "there is no `response` here", "data, original, meta"},
		{`blnk(data.status)`, "blnk", KindName, "there is no function `blnk`", "`blank`"},
		{`data.status.toLowerCase() == "new"`, "", KindLimit, "no functions of its own", "in front"},
		{`in_lookup("cods", data.status)`, `"cods"`, KindName, "there is no lookup `cods`", "codes"},
		{`in_lookup(data.status, "x")`, "", KindName, "needs the name of a table", ""},
		{`let data = 1; data == 1`, "", KindName, "already means something else", ""},
		{`$env.data == 1`, "$env", KindName, "there is no `$env`", ""},
		{`$data.status == "NEW"`, "$data", KindName, "", "`data`"},
		// Syntax.
		{``, "", KindSyntax, "the rule is empty", ""},
		{`   `, "   ", KindSyntax, "the rule is empty", ""},
		{`data.status = "NEW"`, "=", KindSyntax, "`=` does not compare", "=="},
		{`.status == "NEW"`, ".", KindSyntax, "a name cannot begin with a dot", "data.status"},
		{`data.status == "NEW`, "", KindSyntax, "a text is opened and never closed", ""},
		{`(data.total > 1`, "", KindSyntax, "", ""},
		{`data.total > `, "", KindSyntax, "the rule ends too early", ""},
		{`data.total > 1 AND data.total < 3`, "AND", KindSyntax, "`AND` is not expected here", "`and`"},
		{`data.status IS nil`, "IS", KindSyntax, "`IS` is not expected", "== nil"},
		{`data.total <> 1`, "<>", KindSyntax, "`<>` is no operator here", "write `!=`"},
		{`data.total => 1`, "=>", KindSyntax, "`=>` is no operator here", "write `>=`"},
		{`data.status === "NEW"`, "===", KindSyntax, "`===` is no operator here", "write `==`"},
		{`data.hazmat ?? true and true`, "and", KindSyntax, "`and` cannot stand beside `??` without brackets", "(x ?? y) and"},
		{`blank()`, "", KindSyntax, "too few or too many values", "blank(x)"},
		{`within(data.at, "22-06")`, `"22-06"`, KindSyntax, "not a range of the day", "22:00-06:00"},
		{`within(data.at, "22:00-22:00")`, `"22:00-22:00"`, KindSyntax, "not a range of the day", ""},
		{`within(data.at, "22:00-06:00", "CET")`, `"CET"`, KindSyntax, "no zone CET", "Europe/Berlin"},
		{`data.country matches "("`, `"("`, KindSyntax, "not a regular expression", ""},
		// Limits.
		{`now() > date(data.at)`, "", KindLimit, "`now` is not available in a rule", "run.now"},
		{`data.country matches data.status`, "", KindLimit, "matches needs a regular expression written as a text", ""},
		{`toJSON(data) == "x"`, "", KindLimit, "`toJSON` is not available", "mapping"},
		{`{"a": 1} == data`, "", KindLimit, "cannot build objects", ""},
		{`true; false`, "", KindLimit, "one condition", "`and`"},
		{`env("HOME") == "x"`, "env", KindName, "no function `env`", ""},
	} {
		_, problems := Compile(c.src, typedScope())
		if len(problems) == 0 {
			t.Errorf("%s: no problem found", c.src)
			continue
		}
		p := problems[0]
		at := c.src[p.From:p.To]
		if p.Kind != c.kind || c.at != "" && at != c.at || !strings.Contains(p.Message, c.message) || !strings.Contains(p.Hint+" "+p.Short+" "+p.Replace, c.more) {
			t.Errorf("%s: marked %q\n   got  %+v\n   want %s %q: %s (%s)", c.src, at, p, c.kind, c.at, c.message, c.more)
		}
		if text := fmt.Sprint(p.Message, p.Hint); strings.Contains(text, "interface") || strings.Contains(text, "float64") || strings.Contains(text, "map[") || strings.Contains(text, "unknown") {
			t.Errorf("%s speaks of types: %s", c.src, text)
		}
	}
}

// What is offered as a replacement makes the rule sound.
func TestReplacementsHelp(t *testing.T) {
	for _, src := range []string{`data.cuntry == "DE"`, `data.attempt < 3`, `data.hazmat`, `any(data.items, .price > 5)`, `any(data.items, .qtty > 3)`, `len(data.extras) > 0`, `status == "NEW"`,
		`data.status == "RELEASD"`, `data.attempt == null`, `in_lookup("cods", data.status)`, `blnk(data.status)`, `data["cuntry"] == "DE"`, `"ü" == data.cuntry`, `data.texts.print`,
		`data.texts.note`, `not data.texts.note`, `data.extras and data.total > 1`, `!data.attempt`, `(data.attempt or 0) > 3`, `len(data.extras or []) > 3`, `any(data.items, x => x.qty > 5)`, `any(data.items, i => i.qty > 5 and i.sku == "A")`} {
		_, problems := Compile(src, typedScope())
		if len(problems) != 1 || problems[0].Replace == "" {
			t.Errorf("%s: %+v", src, problems)
			continue
		}
		fixed := src[:problems[0].From] + problems[0].Replace + src[problems[0].To:]
		if _, left := Compile(fixed, typedScope()); len(left) > 0 {
			t.Errorf("%s: %+v", fixed, left)
		}
	}
}

// A rule with problems that only a schema reveals can still be run.
func TestSchemaProblemsLeaveTheRuleUsable(t *testing.T) {
	for _, src := range []string{`data.cuntry == "DE"`, `data.attempt < 3`, `data.total == "1"`, `data.status == "X"`} {
		if p, problems := Compile(src, typedScope()); p == nil || len(problems) == 0 {
			t.Errorf("%s: %v %v", src, p, problems)
		}
	}
}

func TestSeveralProblemsInOneRule(t *testing.T) {
	_, problems := Compile(`data.cuntry == "DE" and data.attempt > 3 and data.status == "OLD"`, typedScope())
	var got []string
	for _, p := range problems {
		got = append(got, string(p.Kind))
	}
	if strings.Join(got, " ") != "field optional option" {
		t.Errorf("%+v", problems)
	}
}

func TestCounted(t *testing.T) {
	for src, want := range map[string]string{
		`len(data.items) >= 0`: "len(data.items) >= 0 true", `0 <= len(data.extras ?? [])`: "0 <= len(data.extras ?? []) true", `data.total > 1 and len(data.items) > -1`: "len(data.items) > -1 true",
		`count(data.items, .qty > 3) < 0`: "count(data.items, .qty > 3) < 0 false", `len(data.items) == -1`: "len(data.items) == -1 false",
		`len(data.items) > 0`: "", `len(data.items) == 0`: "", `len(data.items) <= 0`: "", `data.total >= 0`: "", `len(data.items) != 0`: "",
	} {
		p, _ := Compile(src, typedScope())
		got := ""
		for _, c := range p.Counted() {
			got += fmt.Sprint(src[c.From:c.To], " ", c.Always)
		}
		if got != want {
			t.Errorf("%s: %q", src, got)
		}
	}
}
