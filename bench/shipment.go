package main

import (
	"encoding/json"
	"fmt"
	"math"

	"crossdock/bench/order"
)

// sameShipment compares two shipments. Systems that reckon in binary floating
// point may differ in the last digits, so numbers agree to a billionth.
func sameShipment(got, want []byte) error {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return fmt.Errorf("what arrived is not JSON: %w", err)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		return err
	}
	return same("shipment", g, w)
}

func same(at string, got, want any) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s: got %v, want %v", at, got, want)
		}
		for k := range w {
			if err := same(at+"."+k, g[k], w[k]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s: got %v, want %v", at, got, want)
		}
		for i := range w {
			if err := same(fmt.Sprintf("%s[%d]", at, i), g[i], w[i]); err != nil {
				return err
			}
		}
		return nil
	case float64:
		if g, ok := got.(float64); ok && math.Abs(g-w) <= 1e-9*max(1, math.Abs(w)) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return fmt.Errorf("%s: got %v, want %v", at, got, want)
}

// checker returns the check of a target: every shipment must be what the plain
// jq program makes of the same order.
func checker() (func(body []byte, n int) error, error) {
	code, err := compileJQ()
	if err != nil {
		return nil, err
	}
	return func(body []byte, n int) error {
		var in any
		if err := json.Unmarshal(order.Append(nil, n), &in); err != nil {
			return err
		}
		v, _ := code.Run(in).Next()
		want, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return sameShipment(body, want)
	}, nil
}
