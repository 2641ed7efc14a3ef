package journal

import (
	"context"
	"strings"

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

// ReadBalance adds up the ledger of a store; pipeline "" means all. Of one
// pipeline, only what stands in its own lane is seen: ReadShared sees its
// branches too.
func ReadBalance(ctx context.Context, d queue.Driver, pipeline string) (Balance, error) {
	return ReadShared(ctx, d, pipeline, func([]byte) string { return "" })
}

// ReadShared adds up the ledger of one pipeline. of tells the pipeline of a
// stored message, for lanes that several pipelines share.
func ReadShared(ctx context.Context, d queue.Driver, pipeline string, of func(body []byte) string) (Balance, error) {
	if pipeline == "" {
		return ReadOf(ctx, d, nil, of)
	}
	return ReadOf(ctx, d, func(name string) bool { return name == pipeline }, of)
}

// ReadOf adds up the ledger of the pipelines that are mine; nil: of all.
func ReadOf(ctx context.Context, d queue.Driver, mine func(pipeline string) bool, of func(body []byte) string) (Balance, error) {
	var b Balance
	counts, err := d.Browse(ctx, queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		return b, err
	}
	kinds := map[queue.Kind]int64{}
	for _, c := range counts.Counts {
		if mine == nil || mine(c.Pipeline) {
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
		name, in := strings.CutPrefix(l.Lane, "in/")
		if mine != nil && !(in && mine(name)) {
			if err := b.share(ctx, d, l.Lane, mine, of); err != nil {
				return b, err
			}
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

// share adds what of the jobs of a lane that several pipelines share belongs to
// those that are mine.
func (b *Balance) share(ctx context.Context, d queue.Driver, lane string, mine func(string) bool, of func([]byte) string) error {
	if !strings.HasPrefix(lane, "out/") {
		return nil
	}
	q := queue.Query{View: queue.Jobs, Lane: lane, Limit: 1000, Bodies: true}
	for {
		page, err := d.Browse(ctx, q)
		if err != nil {
			return err
		}
		for _, j := range page.Jobs {
			switch {
			case !mine(of(j.Body)):
			case j.State == queue.DeadJob:
				b.Dead++
			default:
				b.Open++
			}
		}
		if q.After = page.Next; page.Next == "" {
			return nil
		}
	}
}
