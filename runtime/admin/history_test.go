package admin_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"crossdock/runtime/admin"
	"crossdock/runtime/queue"
)

// TestHistoryAnswersSoon: where few entries are wanted, one answer looks at a part
// of the history only and says where to go on.
func TestHistoryAnswersSoon(t *testing.T) {
	o := newOffice(t)
	const n, batch = 250_000, 10_000
	for from := 0; from < n; from += batch {
		entries := make([]queue.Entry, batch)
		for i := range entries {
			entries[i] = queue.Entry{Message: fmt.Sprint("m", from+i), Kind: queue.Rejected, Pipeline: "bolt/orders"}
			if (from+i)%200_000 == 10 { // the oldest but ten, and one among the newest
				entries[i].Pipeline = "acme/orders"
			}
		}
		if _, err := o.engine.Driver().Apply(context.Background(), queue.Commit{History: entries}); err != nil {
			t.Fatal(err)
		}
	}
	q := url.Values{"kind": {"rejected"}, "client": {"acme"}}
	var found []string
	pages := 0
	for next := ""; pages == 0 || next != ""; pages++ {
		q.Set("after", next)
		var page admin.HistoryPage
		if err := o.client.Get(context.Background(), "/v1/history", q, &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			found = append(found, e.Message)
		}
		next = page.Next
	}
	if pages != 3 || fmt.Sprint(found) != "[m200010 m10]" {
		t.Errorf("%d pages with %v, want 3 with the two of acme", pages, found)
	}
}
