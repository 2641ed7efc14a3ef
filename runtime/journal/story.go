package journal

import (
	"context"

	"crossdock/runtime/queue"
)

// Balance is the conservation of messages: everything taken in is somewhere.
type Balance struct {
	Messages   int64 `json:"messages"` // accepted from outside or from an event
	Accepted   int64 `json:"accepted"` // items of work they became
	Duplicates int64 `json:"duplicates"`
	Conflicts  int64 `json:"conflicts"`
	Rejected   int64 `json:"rejected"`
	Delivered  int64 `json:"delivered"`
	Filtered   int64 `json:"filtered"`
	Discarded  int64 `json:"discarded"`
	Dead       int64 `json:"dead"` // dead letters that wait for a person
	Open       int64 `json:"open"` // waiting, under way, between attempts or parked
	// Unaccounted is what the sums do not explain; anything but 0 is a fault of
	// crossdock, or a reading taken while messages moved.
	Unaccounted int64 `json:"unaccounted"`
}

// ReadBalance adds up the ledger of a store; pipeline "" means all.
func ReadBalance(ctx context.Context, d queue.Driver, pipeline string) (Balance, error) {
	var b Balance
	counts, err := d.Browse(ctx, queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		return b, err
	}
	kinds := map[queue.Kind]int64{}
	for _, c := range counts.Counts {
		if pipeline == "" || c.Pipeline == pipeline {
			kinds[c.Kind] += c.N
		}
	}
	b.Messages = kinds[queue.Accepted]
	b.Accepted = kinds[queue.Accepted] + kinds[queue.Branched] - kinds[queue.Fanned]
	b.Duplicates, b.Conflicts, b.Rejected = kinds[queue.Duplicated], kinds[queue.Conflicted], kinds[queue.Rejected]
	b.Delivered, b.Filtered, b.Discarded = kinds[queue.Delivered], kinds[queue.Filtered], kinds[queue.Discarded]
	lanes, err := d.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return b, err
	}
	for _, l := range lanes.Lanes {
		if pipeline != "" && l.Lane != "in/"+pipeline {
			continue
		}
		b.Dead += int64(l.Dead)
		b.Open += int64(l.Ready + l.Leased + l.Delayed)
		for _, n := range l.Parked {
			b.Open += int64(n)
		}
	}
	b.Unaccounted = b.Accepted - b.Delivered - b.Filtered - b.Discarded - b.Dead - b.Open
	return b, nil
}
