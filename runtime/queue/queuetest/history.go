package queuetest

import (
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func messages(es []queue.Entry) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.Message + " " + string(e.Kind)
	}
	return out
}

// record applies history alone.
func (k *kit) record(es ...queue.Entry) { k.Helper(); k.apply(queue.Commit{History: es}) }

func exerciseHistory(t *testing.T, h Harness) {
	so := queue.Ref{Type: "order", Value: "SO-1"}
	each(t, h, map[string]func(k *kit){
		"an entry comes back whole": func(k *kit) {
			want := queue.Entry{
				Message: "m", At: time.Now().Add(-time.Hour).Round(time.Microsecond), Kind: queue.Failed, Pipeline: "orders",
				Revision: "r1", Step: "send", Target: "erp.orders", Attempt: 3, Detail: "503 “later”", Parent: "p",
				Refs: []queue.Ref{so, {Type: "shipment", Value: "Ü 7"}}, Data: []byte{0, 1, 255},
			}
			k.record(want)
			got := k.browse(queue.Query{View: queue.ByMsg, ID: "m"}).Entries
			if len(got) != 1 || !got[0].At.Equal(want.At) {
				k.Fatalf("got %+v", got)
			}
			got[0].At = want.At
			k.equal("entry", fmt.Sprintf("%+v", got[0]), fmt.Sprintf("%+v", want))
		},
		"an entry without a time gets one": func(k *kit) {
			k.record(entry("m", queue.Noted))
			at := k.browse(queue.Query{View: queue.ByMsg, ID: "m"}).Entries[0].At
			if at.Before(k.now.Add(-time.Minute)) || at.After(time.Now().Add(time.Minute)) {
				k.Fatalf("it says %v", at)
			}
		},
		"a family by any of its members": func(k *kit) {
			k.record(entry("m", queue.Accepted))
			k.record(entry("m.1", queue.Branched), entry("m.2", queue.Branched), entry("mm", queue.Accepted))
			k.record(entry("m.2.1", queue.Delivered))
			want := []string{"m accepted", "m.1 branched", "m.2 branched", "m.2.1 delivered"}
			for _, id := range []string{"m", "m.1", "m.2.1"} {
				k.equal("family of "+id, messages(k.browse(queue.Query{View: queue.ByMsg, ID: id}).Entries), want)
			}
			k.equal("of nobody", len(k.browse(queue.Query{View: queue.ByMsg, ID: "x"}).Entries), 0)
		},
		"by time, not by writing": func(k *kit) {
			late, early := entry("m", queue.Delivered), entry("m", queue.Accepted)
			late.At, early.At = k.now, k.now.Add(-time.Minute)
			k.record(late)
			k.record(early)
			k.equal("family", messages(k.browse(queue.Query{View: queue.ByMsg, ID: "m"}).Entries),
				[]string{"m accepted", "m delivered"})
		},
		"by reference": func(k *kit) {
			k.record(entry("a", queue.Accepted, so), entry("b", queue.Accepted, queue.Ref{Type: "order", Value: "SO-2"}))
			k.record(entry("a.1", queue.Delivered))
			k.record(entry("c.7", queue.Branched, queue.Ref{Type: "shipment", Value: "SO-1"}, so))
			byRef := func(r queue.Ref) []string {
				return messages(k.browse(queue.Query{View: queue.ByRef, Ref: r}).Entries)
			}
			k.equal("type and value", byRef(so), []string{"a accepted", "a.1 delivered", "c.7 branched"})
			k.equal("other type", byRef(queue.Ref{Type: "shipment", Value: "SO-1"}), []string{"c.7 branched"})
			k.equal("any type", byRef(queue.Ref{Value: "SO-1"}), []string{"a accepted", "a.1 delivered", "c.7 branched"})
			k.equal("unknown type", byRef(queue.Ref{Type: "x", Value: "SO-1"}), []string{})
			k.equal("part of a value", byRef(queue.Ref{Type: "order", Value: "SO"}), []string{})
		},
		"pages of a family": func(k *kit) {
			var want []string
			for i := range 25 {
				e := entry(fmt.Sprintf("m.%02d", i), queue.Branched, so)
				e.At = k.now.Add(time.Duration(i/3) * time.Second)
				k.record(e)
				want = append(want, fmt.Sprintf("m.%02d branched", i))
			}
			for _, q := range []queue.Query{{View: queue.ByMsg, ID: "m", Limit: 7}, {View: queue.ByRef, Ref: so, Limit: 7}} {
				k.equal("all pages", messages(k.pages(q).Entries), want)
			}
		},
		"recent": func(k *kit) {
			var all, accepted []string
			for i := range 12 {
				e := entry(fmt.Sprint("m", i), queue.Accepted)
				if i%3 == 0 {
					e.Kind, e.Pipeline = queue.Noted, "stock"
				} else {
					accepted = append([]string{e.Message + " accepted"}, accepted...)
				}
				all = append([]string{e.Message + " " + string(e.Kind)}, all...)
				k.record(e)
			}
			k.equal("all", messages(k.pages(queue.Query{View: queue.Recent, Limit: 5}).Entries), all)
			k.equal("newest", messages(k.browse(queue.Query{View: queue.Recent, Limit: 3}).Entries), all[:3])
			k.equal("kind", messages(k.pages(queue.Query{View: queue.Recent, Kind: queue.Accepted, Limit: 5}).Entries), accepted)
			k.equal("pipeline", len(k.browse(queue.Query{View: queue.Recent, Pipeline: "stock"}).Entries), 4)
			k.equal("neither", len(k.browse(queue.Query{View: queue.Recent, Pipeline: "stock", Kind: queue.Accepted}).Entries), 0)
			k.equal("prefix", messages(k.pages(queue.Query{View: queue.Recent, Prefix: "ord", Limit: 5}).Entries), accepted)
		},
		"recent, with few that are wanted": func(k *kit) {
			var wanted []string
			for i := range 40 {
				e := entry(fmt.Sprint("m", i), queue.Accepted)
				if i%19 == 0 {
					e.Pipeline = "acme/orders"
					wanted = append([]string{e.Message + " accepted"}, wanted...)
				}
				k.record(e)
			}
			q := queue.Query{View: queue.Recent, Prefix: "acme/", Limit: 2, Look: 7}
			var got []string
			for pages := 1; ; pages++ {
				p := k.browse(q)
				if len(p.Entries) > 1 {
					k.Errorf("a page that looks at 7 entries holds %d of which one in 19 is wanted", len(p.Entries))
				}
				got = append(got, messages(p.Entries)...)
				if pages == 1 { // what comes meanwhile is newer than all pages
					k.record(entry("late", queue.Accepted), entry("later", queue.Accepted))
				}
				if q.After = p.Next; p.Next == "" {
					if pages < 6 || pages > 7 {
						k.Errorf("%d pages of 7 for 40 entries", pages)
					}
					break
				}
			}
			k.equal("wanted", got, wanted)
		},
		"a prefix": func(k *kit) {
			so := queue.Ref{Type: "order", Value: "SO-9"}
			var wanted []string
			for i := range 12 {
				e := entry(fmt.Sprintf("m.%d", i), queue.Branched, so)
				e.At = k.now.Add(time.Duration(i) * time.Second)
				if i%2 == 0 {
					e.Pipeline = "acme/orders"
					wanted = append(wanted, e.Message+" branched")
				}
				k.record(e)
			}
			for _, q := range []queue.Query{{View: queue.ByMsg, ID: "m", Prefix: "acme/", Limit: 4}, {View: queue.ByRef, Ref: so, Prefix: "acme/", Limit: 4}} {
				k.equal("all pages", messages(k.pages(q).Entries), wanted)
			}
		},
		"counters": func(k *kit) {
			k.record(entry("a", queue.Sent), entry("a", queue.Sent), entry("b", queue.Failed))
			e := entry("c", queue.Sent)
			e.Pipeline = "stock"
			k.record(e)
			k.equal("counts", k.browse(queue.Query{View: queue.Counters}).Counts,
				[]queue.Count{{Pipeline: "orders", Kind: queue.Failed, N: 1}, {Pipeline: "orders", Kind: queue.Sent, N: 2},
					{Pipeline: "stock", Kind: queue.Sent, N: 1}})
		},
	})
}

// pages reads all pages of a query.
func (k *kit) pages(q queue.Query) queue.Page {
	k.Helper()
	var all queue.Page
	for range 1000 {
		p := k.browse(q)
		if q.Limit > 0 && (len(p.Jobs) > q.Limit || len(p.Entries) > q.Limit) {
			k.Fatalf("a page has %d jobs and %d entries, want at most %d", len(p.Jobs), len(p.Entries), q.Limit)
		}
		all.Jobs = append(all.Jobs, p.Jobs...)
		all.Entries = append(all.Entries, p.Entries...)
		if p.Next == "" {
			return all
		}
		if p.Next == q.After {
			k.Fatalf("the page after %q is the same again", q.After)
		}
		q.After = p.Next
	}
	k.Fatal("the pages have no end")
	return all
}
