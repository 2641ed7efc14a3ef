package lint_test

import (
	"strings"
	"testing"

	"crossdock/dsl/lint"
)

// TestHonestCells lints cells that read nothing that does not exist, however
// they are written: no rule may raise a false alarm.
func TestHonestCells(t *testing.T) {
	for _, cell := range []string{
		`.partners | map(select(.role == "SH")) | .[0].name`,
		`first(.partners[]? | select(.role == "SH") | .name)`,
		`first(.partners[] | select(.role == "SH")).name`,
		`[.partners[] | {r: .role, n: .name}] | map(.n) | join(", ")`,
		`{a: .orderNo} | .a`,
		`.orderNo | {x: .} | .x`,
		`{orderNo, state: .status} | .state`,
		`.partners | to_entries | map(.value.name) | first`,
		`.partners | group_by(.role) | map({k: .[0].role, n: length}) | .[0].k`,
		`.partners | INDEX(.role) | .SH.name`,
		`.partners | map({key: .role, value: .name}) | from_entries | .SH`,
		`. as {orderNo: $n, status: $s} | $n + $s`,
		`.partners as [$a, $b] | $a.name`,
		`reduce .partners[] as $p (""; . + $p.name)`,
		`reduce .partners[] as $p ({}; .[$p.role] = $p.name) | .SH`,
		`def n: .name; .partners[0] | n`,
		`if has("reqDate") then .reqDate else .orderNo end`,
		`.partners[0] | if . then .name else "none" end`,
		`.orderNo | split("-") | .[0]`,
		`.orderNo | capture("(?<kind>[A-Z]+)-(?<no>[0-9]+)") | .no`,
		`.orderNo | tojson | fromjson`,
		`.orderNo | fromjson? | .any.thing`,
		`[.orderNo, .status] | join("/")`,
		`[.orderNo, .status][1]`,
		`.partners | map(.name) | sort | unique | join(" ")`,
		`.partners | sort_by(.role) | last | .name`,
		`.partners | max_by(.name) | .zip`,
		`.partners | any(.role == "SH") | tostring`,
		`any(.partners[]; .role == "SH") | tostring`,
		`[limit(2; .partners[].name)] | join(",")`,
		`.partners[0] | del(.zip) | .name`,
		`.status |= ascii_downcase | .status`,
		`.partners[0] + {extra: 1} | .extra | tostring`,
		`. * {extra: {deep: "x"}} | .extra.deep`,
		`.extra = "x" | .extra`,
		`.partners |= map(.zip //= "none") | .partners[0].zip`,
		`getpath(["partners", 0, "name"])`,
		`.["orderNo"]`,
		`."orderNo"`,
		`.partners[0]["name"]`,
		`.partners[-1].name`,
		`.partners[1:][0].name`,
		`.partners | length | tostring`,
		`[.. | strings] | first`,
		`keys | first`,
		`to_entries | map(.key) | first`,
		`with_entries(select(.key == "orderNo")) | .orderNo`,
		`[paths | map(tostring) | join(".")] | first`,
		`tostream | tojson`,
		`"\(.orderNo)/\(.partners[0].name // "?")"`,
		`.partners[0].name as $n | "\($n) (\($root.orderNo))"`,
		`.shippingCondition | lookup("services")`,
		`try .orderNo catch "x"`,
		`.orderNo // .status // empty`,
		`(.orderNo, .status) | select(. != null) | ascii_downcase`,
		`label $out | foreach .partners[] as $p (null; $p; if .role == "SH" then .name, break $out else empty end)`,
		`@base64 "\(.orderNo)"`,
		`.orderNo | @uri`,
		`[.partners[] | select(.zip != null) | .zip] | .[0]`,
		`$meta.headers["x-tenant"]`,
		`$meta.event.name`,
		`$run.now[0:10]`,
		`.price | tostring`,
		`.quantity + 1 | tostring`,
		`.changedAt | strptime("%Y-%m-%dT%H:%M:%SZ") | mktime | strftime("%Y%m%d")`,
	} {
		text := "mapping: m\ninput: erp/sales-order@1\noutput: tms/shipment@1\nfields:\n  reference: .orderNo\n  consignee.name: |\n    " + cell + "\n"
		for _, d := range load(t, folder(lint.Context(), []lint.File{{Path: "m.mapping.yaml", Text: text}})) {
			if d.Code == "XD2100" {
				t.Logf("not allowed in cells: %s: %s", cell, d.Message)
				continue
			}
			t.Errorf("%s\n    %s %s: %s", cell, d.Code, d.Span, d.Message)
		}
	}
}

// TestHonestRules does the same for rules.
func TestHonestRules(t *testing.T) {
	for _, cell := range []string{
		`data.status == "RELEASED"`,
		`data.status in ["OPEN", "CLOSED"]`,
		`(data.hazmat ?? false) and data.status != "CLOSED"`,
		`not (data.hazmat ?? false)`,
		`data.reqDate == nil`,
		`data.reqDate != nil and data.reqDate > "2026"`,
		`blank(data.reqDate)`,
		`len(data.partners ?? []) > 0`,
		`any(data.partners ?? [], .role == "SH")`,
		`any(data.partners ?? [], #.role == "SH" and blank(#.zip))`,
		`data.partners?.[0]?.role == "SH"`,
		`count(data.partners ?? [], .role == "SH") == 1`,
		`data.orderNo matches "^SO-"`,
		`data.orderNo startsWith "SO" or data.orderNo contains "X"`,
		`original.orderNo == data.orderNo`,
		`meta.source == "http" and meta.headers["x-tenant"] == "acme"`,
		`run.attempt < 3`,
		`close_to(data.price, 10, 0.5, 1)`,
		`in_lookup("services", data.shippingCondition)`,
		`let n = data.quantity; n > 1 and n < 10`,
		`data.quantity > 1 ? data.status == "OPEN" : true`,
		`true`,
	} {
		text := "pipeline: p\ntrigger: {http: {path: /orders, verify: erp-hmac}}\naccept: erp/sales-order@1\nkey: [.orderNo]\nwhen: |\n  " + strings.TrimSpace(cell) + "\nsteps: [{send: tms.create}]\n"
		for _, d := range load(t, folder(lint.Context(), []lint.File{{Path: "p.pipeline.yaml", Text: text}})) {
			t.Errorf("%s\n    %s %s: %s", cell, d.Code, d.Span, d.Message)
		}
	}
}
