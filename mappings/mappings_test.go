package mappings_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
	"crossdock/mappings"
)

// contracts builds every shipped schema, by event.
func contracts(t *testing.T) (map[string]*schema.Schema, map[string]*ast.Node) {
	t.Helper()
	files, err := fs.Glob(mappings.FS, "canonical/*.schema.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas are embedded: %v", err)
	}
	built, roots := map[string]*schema.Schema{}, map[string]*ast.Node{}
	for _, file := range files {
		src, err := fs.ReadFile(mappings.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, list := parser.Parse(file, src)
		if len(list) > 0 {
			t.Fatalf("%s: %v", file, list)
		}
		event := strings.TrimSuffix(path.Base(file), ".schema.yaml")
		root := parsed.Root
		if got, want := root.Get("schema").Text, "canonical/"+event+"@1"; got != want {
			t.Errorf("%s names %s, want %s", file, got, want)
		}
		if got := root.Get("event_name").Text; got != ".event" {
			t.Errorf("%s is heard as %s, want .event", file, got)
		}
		var problems diag.List
		s := schema.Build(schema.Source{Name: "canonical/" + event + "@1", Fields: root.Get("fields")}, &problems)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", file, problems)
		}
		built[event], roots[event] = s, root.Get("fields")
	}
	return built, roots
}

// What all events share must mean the same in each of them, because one
// consumer reads many.
func TestSharedFieldsAgree(t *testing.T) {
	built, _ := contracts(t)
	union := built["shipment-event"]
	for event, s := range built {
		for _, f := range s.Fields() {
			other, ok := union.Lookup(schema.Split(f.Path))
			if !ok || other.Shape == nil || f.Path == "event" {
				continue
			}
			if f.Shape.Type.String() != other.Shape.Type.String() || f.Shape.PII != other.Shape.PII {
				t.Errorf("%s: %s is %s (personal: %v), but %s (personal: %v) in shipment-event",
					event, f.Path, f.Shape.Type, f.Shape.PII, other.Shape.Type, other.Shape.PII)
			}
			if !slices.Equal(f.Shape.Options, other.Shape.Options) {
				t.Errorf("%s: %s has other options than in shipment-event", event, f.Path)
			}
		}
	}
}

// Identity, classifier and the source of the zone are promised by every event.
func TestEveryEventCanBeIdentified(t *testing.T) {
	built, _ := contracts(t)
	for event, s := range built {
		for _, name := range []string{"event", "event_id", "partner", "subject", "classifier", "tz_source"} {
			if f, ok := s.Lookup([]string{name}); !ok || f.Optional {
				t.Errorf("%s does not promise %s", event, name)
			}
		}
		f, ok := s.Lookup([]string{"event"})
		if !ok || event != "shipment-event" && !slices.Equal(f.Shape.Options, []string{event}) {
			t.Errorf("%s carries other events than its own", event)
		}
	}
}

// A tracking feed can say everything but what only the shipper knows.
func TestUnionCoversItsEvents(t *testing.T) {
	built, _ := contracts(t)
	f, _ := built["shipment-event"].Lookup([]string{"event"})
	for event := range built {
		own := []string{"order_released", "shipment_created", "pod_submitted", "shipment-event"}
		if got, want := slices.Contains(f.Shape.Options, event), !slices.Contains(own, event); got != want {
			t.Errorf("%s in the options of shipment-event: %v, want %v", event, got, want)
		}
	}
}

func event(extra map[string]any) map[string]any {
	v := map[string]any{
		"event": "delivery_failed", "event_id": "e-1", "partner": "courier", "subject": "shipment/S-1",
		"classifier": "actual", "occurred_at": "2026-03-03T08:05:12Z", "tz_source": "offset",
		"reason": map[string]any{"code": "business_closed", "side": "consignee"},
	}
	for k, x := range extra {
		if x == nil {
			delete(v, k)
			continue
		}
		v[k] = x
	}
	return v
}

func TestDeliveryFailedKeepsItsPromises(t *testing.T) {
	built, _ := contracts(t)
	cases := []struct {
		name  string
		extra map[string]any
		path  string // of the violation, "" for none
	}{
		{"whole", nil, ""},
		{"unknown fields are welcome", map[string]any{"weather": "rain"}, ""},
		{"no reason", map[string]any{"reason": nil}, "reason"},
		{"reason of another list", map[string]any{"reason": map[string]any{"code": "SITE_CLOSED", "side": "consignee"}}, "reason.code"},
		{"nobody responsible", map[string]any{"reason": map[string]any{"code": "business_closed"}}, "reason.side"},
		{"no instant", map[string]any{"occurred_at": nil}, "occurred_at"},
		{"instant without zone", map[string]any{"occurred_at": "2026-03-03T08:05:12"}, "occurred_at"},
		{"another event", map[string]any{"event": "delivery_completed"}, "event"},
		{"outside the globe", map[string]any{"geo": map[string]any{"lat": 99.99999, "lng": 9.0}}, "geo.lat"},
		{"attempt zero", map[string]any{"attempt": 0}, "attempt"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := built["delivery_failed"].Validate(event(c.extra))
			switch {
			case c.path == "" && len(found) > 0:
				t.Errorf("refused: %v", found)
			case c.path != "" && (len(found) == 0 || !strings.HasPrefix(found[0].Path, c.path)):
				t.Errorf("found %v, want a violation at %s", found, c.path)
			}
		})
	}
}

// The table holds the 249 entries of the standard, each code once.
func TestCountryCodes(t *testing.T) {
	const file = "codes/country-alpha3.lookup.yaml"
	src, err := fs.ReadFile(mappings.FS, file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, list := parser.Parse(file, src)
	if len(list) > 0 {
		t.Fatal(list)
	}
	rows := parsed.Root.Get("rows").Pairs
	if len(rows) != 249 {
		t.Errorf("%d countries, want 249", len(rows))
	}
	three, two := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		if len(r.Key.Text) != 3 || len(r.Value.Text) != 2 || three[r.Key.Text] || two[r.Value.Text] {
			t.Errorf("%s: %s is malformed or stands here twice", r.Key.Text, r.Value.Text)
		}
		three[r.Key.Text], two[r.Value.Text] = true, true
	}
	for code, want := range map[string]string{"DEU": "DE", "USA": "US", "GBR": "GB", "NOR": "NO", "XKX": ""} {
		got := ""
		if n := parsed.Root.Get("rows").Get(code); n != nil {
			got = n.Text
		}
		if got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}
