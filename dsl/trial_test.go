package dsl_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/diag"
)

// withNext adds a version 3 of the template, which no client has.
func withNext(files map[string]string) map[string]string {
	out := maps.Clone(files)
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, "templates/client/"); ok {
			out["templates/next/"+rest] = strings.Replace(text, "template: client@2", "template: client@3", 1)
		}
	}
	return out
}

// TestTemplateWithoutClients makes mistakes in files of templates that no client
// gets: they are found where they stand, once, and nothing else is.
func TestTemplateWithoutClients(t *testing.T) {
	three := archive(t, "testdata/templates/base.txtar")
	two := withNext(three)
	alone := maps.Clone(three) // a template and nobody
	for name := range three {
		if strings.HasPrefix(name, "clients/") {
			delete(alone, name)
		}
	}
	for _, tt := range []struct {
		name           string
		files          map[string]string
		path, old, new string
		want           string // code and text of all findings; "" for none
	}{
		{"a new version", two, "", "", "", ""},
		{"nobody at all", alone, "", "", "", ""},
		{"a field", two, "templates/next/order-to-shipment.mapping.yaml", "from: .level,", "from: .levle,", "XD2101 levle"},
		{"a field, nobody at all", alone, "templates/client/order-to-shipment.mapping.yaml", "from: .level,", "from: .levle,", "XD2101 levle"},
		{"a lookup", two, "templates/next/order-to-shipment.mapping.yaml", "lookup: service-levels", "lookup: servce-levels", "XD1001 servce-levels"},
		{"a parameter in a cell", two, "templates/next/order-to-shipment.mapping.yaml", "$params.cutoff", "$params.cutof", "XD2101 cutof"},
		{"a file for webhooks only", alone, "templates/client/orders-webhook.pipeline.yaml", "send: tms.hazmat", "send: tms.hazmt", "XD1001 hazmt"},
		{"a file for polls only", alone, "templates/client/orders-poll.pipeline.yaml", "call: erp.changes", "call: erp.change", "XD1001 change"},
		{"a connection for polls only", alone, "templates/client/erp.connection.yaml", "items: .orders", "items: .orders |", "XD2100 "},
		{"a file for returns only", alone, "templates/client/returns.pipeline.yaml", "order_by: .id", "order_bye: .id", "XD1001 order_bye"},
		{"a case of a test", two, "templates/next/order-to-shipment.test.yaml", "expect: {reference: A-1", "expect: {refernce: A-1", "XD1001 refernce"},
		{"a rule", two, "templates/next/orders-webhook.pipeline.yaml", "data.warehouse in params.warehouses", "data.warehouse in params.warehouse", "XD2101 warehouse"},
		{"a comment that silences", two, "templates/next/order-to-shipment.mapping.yaml", "  level: {from: .level, lookup: service-levels}", "  level: {from: .levle, lookup: service-levels} # crossdock-ignore XD2101 comes with the next release of the ERP", ""},
		{"a comment that silences, with clients", three, "templates/client/order-to-shipment.mapping.yaml", "  reference: .id", "  reference: .idd # crossdock-ignore XD2101 comes with the next release of the ERP", ""},
		{"a comment that silences nothing", two, "templates/next/order-to-shipment.mapping.yaml", "  reference: .id", "  reference: .id # crossdock-ignore XD2101 it was wrong once", "XD1003 # crossdock-ignore XD2101 it was wrong once"},
		{"a comment without a reason", two, "templates/next/order-to-shipment.mapping.yaml", "  reference: .id", "  reference: .idd # crossdock-ignore XD2101", "XD1003 # crossdock-ignore XD2101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := maps.Clone(tt.files)
			if tt.path != "" {
				if strings.Count(files[tt.path], tt.old) != 1 {
					t.Fatalf("%s has %q %d times", tt.path, tt.old, strings.Count(files[tt.path], tt.old))
				}
				files[tt.path] = strings.Replace(files[tt.path], tt.old, tt.new, 1)
			}
			_, list, err := dsl.Load(workspace(files), options())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range list {
				if d.Span.File != tt.path {
					t.Errorf("elsewhere: %s %s %s", d.Span, d.Code, d.Message)
				}
				if strings.Contains(d.Message+d.Hint, "trial") || len(d.Clients) > 0 && strings.Contains(tt.path, "next") {
					t.Errorf("a client that nobody has is named: %s %v", d.Message, d.Clients)
				}
				got = append(got, string(d.Code)+" "+diag.NewText([]byte(files[d.Span.File])).Slice(d.Span))
			}
			if g := strings.Join(got, "; "); g != tt.want {
				t.Errorf("found %q, want %q\n%s", g, tt.want, lines(list))
			}
		})
	}
}

// TestTrialsRunNothing: what is looked at on trial is no part of the workspace.
func TestTrialsRunNothing(t *testing.T) {
	files := withNext(archive(t, "testdata/templates/base.txtar"))
	ws, list, err := dsl.Load(workspace(files), options())
	if err != nil || len(list) > 0 {
		t.Fatal(err, list)
	}
	if len(ws.Trials) == 0 || len(ws.Clients) != 3 || len(ws.Pipelines) != 4 {
		t.Errorf("%d trials, %d clients, %d pipelines", len(ws.Trials), len(ws.Clients), len(ws.Pipelines))
	}
	for name, p := range ws.Pipelines {
		if strings.HasPrefix(p.File.Path, "templates/next") {
			t.Errorf("%s runs the version that nobody has", name)
		}
	}
	fmt.Fprint(t.Output(), len(ws.Trials), " trials")
	ws.Drop()
	if ws.Trials != nil {
		t.Error("trials are kept while nothing looks at them")
	}
}
