package main

import (
	"strings"
	"testing"
)

// TestEncodingOfSamples names the flag where a sample is not UTF-8, and not the key
// of a pipeline.
func TestEncodingOfSamples(t *testing.T) {
	raw := []byte("name;city\nM\xfcller;Ulm\n")
	_, err := (&payloads{}).rows("in.csv", raw, false)
	if err == nil || !strings.Contains(err.Error(), "`--encoding latin1`") {
		t.Errorf("got %v", err)
	}
	docs, err := (&payloads{encoding: "latin1"}).rows("in.csv", raw, false)
	if err != nil || len(docs) != 1 || docs[0].value.(map[string]any)["name"] != "Müller" {
		t.Errorf("got %v, %v", docs, err)
	}
}
