package admin

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"crossdock/runtime/queue"
)

// TestStoreAwayIsSaid: whoever asks while the store is down learns that, and no
// address of it.
func TestStoreAwayIsSaid(t *testing.T) {
	a := &API{log: slog.New(slog.DiscardHandler)}
	for method, want := range map[string]string{"GET": "everything goes on by itself", "POST": "whether this was done is not known"} {
		w := httptest.NewRecorder()
		c := &call{Request: httptest.NewRequest(method, "/v1/status", nil)}
		a.refuse(w, c, fmt.Errorf("read state: %w: dial tcp 10.1.2.3:6379", queue.ErrAway))
		body := w.Body.String()
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(body, "the store does not answer") || !strings.Contains(body, want) || strings.Contains(body, "10.1.2.3") {
			t.Errorf("%s: %d %s", method, w.Code, body)
		}
	}
}
