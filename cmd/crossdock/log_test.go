package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestLogOfDurations(t *testing.T) {
	var out bytes.Buffer
	logTo(&out).Info("asked", "next", 2*time.Minute, "failures", 3)
	if got := out.String(); !strings.Contains(got, `"next":"2m0s"`) || !strings.Contains(got, `"failures":3`) {
		t.Error(got)
	}
}
