package examples_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// vendorFiles is a collection of payloads as vendors publish them. It is not
// part of the repository.
const vendorFiles = "../../shared/samples"

// fixed is the time at which everything here happens.
var fixed = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// Payloads as vendors publish them go through the mappings as they are; where
// a vendor publishes the object but not the envelope of its webhook, the
// envelope is put around it.
func TestPublishedPayloads(t *testing.T) {
	if _, err := os.Stat(vendorFiles); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is absent: the payloads that vendors publish are not part of the repository", vendorFiles)
	}
	ws := load(t, "02-carrier-webhooks")
	tracker := func(v any) any {
		return map[string]any{"id": "evt_1", "description": "tracker.updated", "result": v}
	}
	update := func(path ...any) func(any) any {
		return func(v any) any {
			return map[string]any{"event": "tracking_update", "event_id": "e-1", "msg": at(v, path...)}
		}
	}
	cases := []struct {
		file, mapping string
		envelope      func(any) any
		want          map[string]any // at dotted paths; nil for a field that must not be there
	}{
		{"carriers/easypost/trackers-retrieve.json", "easypost-to-event", tracker, map[string]any{
			"event": "info_received", "occurred_at": "2025-04-10T09:17:17Z", "tracking_no": "EZ1000000001", "stop.city": "HOUSTON", "quality": nil}},
		{"carriers/easypost/trackers-create.json", "easypost-to-event", tracker, map[string]any{
			"event": "info_received", "raw.text": "Shipping Label Created"}},
		{"carriers/shippo/webhook-track_updated.json", "shippo-to-event", nil, map[string]any{
			"event": "delivery_completed", "occurred_at": "2016-07-23T00:00:00Z", "raw.reason": "information_received", "eta": nil}},
		{"carriers/aftership/tracking-1.json", "aftership-to-event", update("data", "tracking"), map[string]any{
			"event": "info_received", "tz_source": "unknown", "occurred_at": nil}},
		{"carriers/aftership/tracking-2.json", "aftership-to-event", update("data", "trackings", 0), map[string]any{
			"event": "delivery_completed", "occurred_at": "2018-07-31T10:33:00-04:00", "tz_source": "offset"}},
		{"carriers/aftership/tracking-2.json", "aftership-to-event", update("data", "trackings", 1), map[string]any{
			"event": "exception_raised", "raw.code": "Expired", "tz_source": "unknown"}},
		{"carriers/aftership/tracking-5.json", "aftership-to-event", update("data", "tracking"), map[string]any{
			"event": "shipment_lost", "raw.reason": "Exception_013"}},
		{"carriers/ups/trackalert-1.json", "ups-to-event", nil, map[string]any{
			"event": "out_for_delivery", "occurred_at": "2024-04-23T13:15:19Z", "occurred_text": "20240423091519", "stop.region": "NC"}},
		{"lastmile/uber-direct/event.delivery_status-pickup_complete.json", "uber-to-event", nil, map[string]any{
			"event": "picked_up", "occurred_at": "2022-04-14T17:39:18.287Z", "quality.0": "geo_out_of_range", "geo": nil, "raw.reason": nil}},
		{"lastmile/doordash/DASHER_DROPPED_OFF.json", "doordash-to-event", nil, map[string]any{
			"event": "delivery_completed", "occurred_at": "2022-02-01T23:18:22.791883Z", "driver.id": "123212"}},
		{"lastmile/stuart/webhook-job-update.json", "stuart-to-event", nil, map[string]any{
			"event": "delivery_completed", "tz_source": "unknown", "occurred_at": nil, "vehicle": "motorbike"}},
	}
	for _, c := range cases {
		t.Run(c.file+" "+c.mapping, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(vendorFiles, c.file))
			if err != nil {
				t.Fatal(err)
			}
			in, err := message.Decode(raw, message.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if c.envelope != nil {
				in = c.envelope(in)
			}
			m := ws.Mappings[c.mapping]
			for _, v := range m.Input.Schema.Validate(in) {
				t.Errorf("the payload does not keep to %s: %s", m.Input.Name, v)
			}
			out, err := m.Mapping.Apply(testrun.Scope(t.Context(), ws, fixed, nil, in), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range m.Output.Schema.Validate(out) {
				t.Errorf("the event does not keep to %s: %s", m.Output.Name, v)
			}
			for path, want := range c.want {
				if got := at(out, steps(path)...); got != want {
					t.Errorf("%s is %v, want %v", path, got, want)
				}
			}
			if t.Failed() {
				text, _ := json.MarshalIndent(out, "", "  ")
				t.Logf("%s", text)
			}
		})
	}
}
