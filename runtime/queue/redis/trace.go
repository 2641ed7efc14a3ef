package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/ledger"
)

func (d *Driver) browseMessage(ctx context.Context, q queue.Query) (queue.Page, error) {
	return d.families(ctx, q, []string{queue.Root(q.ID)})
}

func (d *Driver) browseRef(ctx context.Context, q queue.Query) (queue.Page, error) {
	members, err := d.rdb.ZRange(ctx, d.keys.of("ref", q.Ref.Value), 0, -1).Result()
	if err != nil {
		return queue.Page{}, err
	}
	var roots []string
	for _, m := range members {
		kind, root, _ := strings.Cut(m, "\x00")
		if (q.Ref.Type == "" || kind == q.Ref.Type) && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return d.families(ctx, q, roots)
}

// families reads the history of whole families, by time. A page is a run of that
// list, which grows at its end.
func (d *Driver) families(ctx context.Context, q queue.Query, roots []string) (queue.Page, error) {
	var page queue.Page
	skip := 0
	if q.After != "" {
		var err error
		if skip, err = strconv.Atoi(q.After); err != nil || skip < 0 {
			return page, fmt.Errorf("%q is no page of this view", q.After)
		}
	}
	if len(roots) == 0 {
		return page, nil
	}
	found := make([]*goredis.StringSliceCmd, len(roots))
	_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, root := range roots {
			found[i] = p.LRange(ctx, d.keys.of("history", root), 0, -1)
		}
		return nil
	})
	if err != nil {
		return page, err
	}
	var all []queue.Entry
	for i, root := range roots {
		for _, stored := range found[i].Val() {
			if e := readEntry(root, stored); strings.HasPrefix(e.Pipeline, q.Prefix) {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b queue.Entry) int { return a.At.Compare(b.At) })
	all = all[min(skip, len(all)):]
	if len(all) > q.Limit {
		all = all[:q.Limit]
		page.Next = strconv.Itoa(skip + q.Limit)
	}
	page.Entries = all
	return page, nil
}

// readEntry reads a stored entry. One that cannot be read is shown as that.
func readEntry(root, stored string) queue.Entry {
	e, err := unpackEntry(root, stored)
	if err != nil {
		return queue.Entry{Message: root, Kind: queue.Noted, Detail: "an entry of this history is damaged and cannot be read"}
	}
	return e
}

// recentSlice is how many pointers are read at a time.
const recentSlice = 1000

// browseRecent walks the list of pointers from its newest end. A pointer has a
// position that stays when newer ones come: the count of all before it.
func (d *Driver) browseRecent(ctx context.Context, q queue.Query) (queue.Page, error) {
	var page queue.Page
	below := int64(-1) // positions from here on were on earlier pages
	if q.After != "" {
		var err error
		if below, err = strconv.ParseInt(q.After, 10, 64); err != nil {
			return page, fmt.Errorf("%q is no page of this view", q.After)
		}
	}
	for looked := 0; ; {
		pointers, start, err := d.pointers(ctx, below)
		if err != nil || len(pointers) == 0 {
			return page, err
		}
		if known := start - below + 1; below >= 0 && known > 0 { // newer ones came meanwhile
			known = min(known, int64(len(pointers)))
			if pointers, start = pointers[known:], start-known; len(pointers) == 0 {
				continue
			}
		}
		if q.Look > 0 {
			pointers = pointers[:min(len(pointers), q.Look-looked)]
		}
		looked += len(pointers)
		var match []pointer
		for i, text := range pointers {
			if p, ok := parsePointer(text); ok && ledger.Matches(q, p.kind, p.pipeline) {
				p.at = start - int64(i)
				match = append(match, p)
			}
		}
		entries, err := d.pointed(ctx, match)
		if err != nil {
			return page, err
		}
		for i, e := range entries {
			if e == nil { // forgotten since
				continue
			}
			if len(page.Entries) == q.Limit {
				page.Next = strconv.FormatInt(below, 10)
				return page, nil
			}
			page.Entries = append(page.Entries, *e)
			below = match[i].at
		}
		below = start - int64(len(pointers)) + 1
		if q.Look > 0 && looked == q.Look {
			page.Next = strconv.FormatInt(below, 10)
			return page, nil
		}
	}
}

// pointers reads a slice of the list from below on (-1: from the newest) and the
// position of its first.
func (d *Driver) pointers(ctx context.Context, below int64) ([]string, int64, error) {
	from := int64(0)
	if below >= 0 {
		total, err := d.rdb.Get(ctx, d.keys.of("recentTotal")).Int64()
		if err != nil && err != goredis.Nil {
			return nil, 0, err
		}
		from = max(0, total-below)
	}
	var total *goredis.StringCmd
	var list *goredis.StringSliceCmd
	_, err := d.rdb.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		total = p.Get(ctx, d.keys.of("recentTotal"))
		list = p.LRange(ctx, d.keys.of("recent"), from, from+recentSlice-1)
		return nil
	})
	if err == goredis.Nil {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	n, err := total.Int64()
	return list.Val(), n - from - 1, err
}

// pointer names an entry: the index-th of the family of root.
type pointer struct {
	kind     queue.Kind
	pipeline string
	index    int64
	root     string
	at       int64
}

func parsePointer(s string) (pointer, bool) {
	parts := strings.SplitN(s, "\x00", 4)
	if len(parts) != 4 {
		return pointer{}, false
	}
	index, err := strconv.ParseInt(parts[2], 10, 64)
	return pointer{kind: queue.Kind(parts[0]), pipeline: parts[1], index: index, root: parts[3]}, err == nil
}

// pointed reads the entries; one that is gone is nil.
func (d *Driver) pointed(ctx context.Context, ps []pointer) ([]*queue.Entry, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	found := make([]*goredis.StringCmd, len(ps))
	_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i := range ps {
			found[i] = p.LIndex(ctx, d.keys.of("history", ps[i].root), ps[i].index)
		}
		return nil
	})
	if err != nil && err != goredis.Nil {
		return nil, err
	}
	out := make([]*queue.Entry, len(ps))
	for i := range ps {
		if stored, err := found[i].Result(); err == nil {
			e := readEntry(ps[i].root, stored)
			out[i] = &e
		}
	}
	return out, nil
}

func (d *Driver) browseCounters(ctx context.Context, q queue.Query) (queue.Page, error) {
	var page queue.Page
	fields, err := d.rdb.HGetAll(ctx, d.keys.of("counters")).Result()
	if err != nil {
		return page, err
	}
	for field, text := range fields {
		kind, pipeline, _ := strings.Cut(field, "\x00")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return page, errRecord
		}
		if (q.Pipeline == "" || q.Pipeline == pipeline) && (q.Kind == "" || q.Kind == queue.Kind(kind)) {
			page.Counts = append(page.Counts, queue.Count{Pipeline: pipeline, Kind: queue.Kind(kind), N: n})
		}
	}
	slices.SortFunc(page.Counts, func(a, b queue.Count) int {
		return cmp.Or(cmp.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Kind, b.Kind))
	})
	return page, nil
}
