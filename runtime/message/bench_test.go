package message_test

import (
	"encoding/json"
	"testing"

	"crossdock/runtime/message"
)

// order has the size and shape of an everyday order of five lines.
const order = `{"orderNo":"PO-77-000481","type":"STD","salesOrg":"2100","channel":"20","createdAt":"2026-05-11T06:45:12Z","reqDelivery":"2026-05-15","currency":"EUR","incoterms":"DAP","priority":3,"customer":{"id":"K-400218","name":"Nordwind Bau AG","vat":"DE998877665","group":"B2B"},"shipTo":{"name1":"Nordwind Bau AG","name2":"Baustelle 7","street":"Deichweg","houseNo":"4b","zip":"01067","city":"Dresden","country":"DE","phone":"+49 351 5550199","email":"bau7@nordwind.example"},"lines":[{"pos":10,"sku":"N-500100","desc":"Betonschrauben 7.5 x 80 verzinkt","qty":12,"uom":"CT","weightKg":4.75,"netPrice":38.9,"batch":"X1107","hazmat":false},{"pos":20,"sku":"N-500220","desc":"Abdeckplane 4 x 6 m gewebt","qty":8,"uom":"EA","weightKg":3.25,"netPrice":21.5,"batch":null,"hazmat":false},{"pos":30,"sku":"N-610007","desc":"Montageschaum 750 ml Dose","qty":48,"uom":"EA","weightKg":0.85,"netPrice":5.95,"batch":"S0419","hazmat":true},{"pos":40,"sku":"N-700310","desc":"Kantholz Fichte 60 x 80 mm","qty":36,"uom":"EA","weightKg":9.5,"netPrice":11.25,"hazmat":false},{"pos":50,"sku":"N-700455","desc":"Gewindestange M12 x 1000","qty":60,"uom":"EA","weightKg":0.75,"netPrice":2.4,"batch":"G2210","hazmat":false}],"payment":{"terms":"ZN14","method":"TRANSFER"},"notes":["Zufahrt von Norden","Kran vorhanden","Anlieferung werktags zwischen 06:30 und 14:00, vorher anrufen"],"custom":{"costCenter":"8120","project":"BV-1131","dispatcher":"a.kern","revision":2}}`

func BenchmarkDecode(b *testing.B) {
	b.Run("order", func(b *testing.B) { benchDecode(b, []byte(order)) })
}

func benchDecode(b *testing.B, raw []byte) {
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.Decode(raw, message.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeStandard(b *testing.B) {
	raw := []byte(order)
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	v, err := message.Decode([]byte(order), message.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = message.Encode(buf[:0], v)
	}
	b.SetBytes(int64(len(buf)))
}
