package redis

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// Browse reads what the store holds; see queue.Driver. Work goes on meanwhile:
// a job that moves may be seen where it was.
func (d *Driver) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	if err := d.begin(); err != nil {
		return queue.Page{}, err
	}
	defer d.end()
	if q.Limit <= 0 {
		q.Limit = 100
	}
	if err := d.alive(ctx); err != nil {
		return queue.Page{}, err
	}
	views := map[queue.View]func(context.Context, queue.Query) (queue.Page, error){
		queue.Lanes:    d.browseLanes,
		queue.Jobs:     d.browseJobs,
		queue.ByID:     d.browseID,
		queue.ByRef:    d.browseRef,
		queue.ByMsg:    d.browseMessage,
		queue.Recent:   d.browseRecent,
		queue.Counters: d.browseCounters,
	}
	view, ok := views[q.View]
	if !ok {
		return queue.Page{}, fmt.Errorf("there is no view %d of a store", q.View)
	}
	page, err := view(ctx, q)
	if err != nil {
		return queue.Page{}, fmt.Errorf("browse redis: %w", err)
	}
	return page, nil
}

// alive makes sure that the store is still the one that was opened.
func (d *Driver) alive(ctx context.Context) error {
	mark, err := d.rdb.Get(ctx, d.keys.of("mark")).Result()
	switch {
	case err == goredis.Nil || err == nil && mark != d.mark:
		return d.fail(lostMessage)
	case err != nil:
		return fmt.Errorf("reach redis: %w", d.verdict(err))
	}
	return nil
}

// source is an index of jobs by sequence number: a sorted set, or the part of
// one that belongs to a priority.
type source struct {
	index, key string
	base       uint64 // of the scores
}

const level = 1 << 50 // as LEVEL in prelude.lua

func (s source) rangeAfter(seq uint64, n int) *goredis.ZRangeBy {
	return &goredis.ZRangeBy{
		Min:   "(" + strconv.FormatUint(s.base+seq, 10),
		Max:   "(" + strconv.FormatUint(s.base+level, 10),
		Count: int64(n),
	}
}

// sources lists the indices that hold jobs of a lane in a state; "" is any but
// leased, for which there is no index by sequence.
func (d *Driver) sources(lane string, state queue.State) []source {
	var out []source
	add := func(index string, base uint64) {
		out = append(out, source{index, d.keys.of(index, lane), base})
	}
	if state == "" || state == queue.Ready {
		for p := range uint64(4) {
			add("ready", p*level)
		}
		add("behind", 0)
	}
	if state == "" || state == queue.Delayed || state == queue.Parked {
		add("waiting", 0)
	}
	if state == "" || state == queue.DeadJob {
		add("dead", 0)
	}
	return out
}

// numbered is a job ID with its sequence number.
type numbered struct {
	id  string
	seq uint64
}

func (d *Driver) browseJobs(ctx context.Context, q queue.Query) (queue.Page, error) {
	var page queue.Page
	after := uint64(0)
	if q.After != "" {
		var err error
		if after, err = strconv.ParseUint(q.After, 10, 64); err != nil {
			return page, fmt.Errorf("%q is no page of this view", q.After)
		}
	}
	if q.Box != "" && q.State == "" {
		q.State = queue.DeadJob
	}
	lanes := []string{q.Lane}
	if q.Lane == "" {
		stats, err := d.laneStats(ctx)
		if err != nil {
			return page, err
		}
		lanes = slices.Sorted(maps.Keys(stats))
	}
	var sources []source
	if q.State != queue.Leased {
		for _, lane := range lanes {
			sources = append(sources, d.sources(lane, q.State)...)
		}
	}
	var leased []numbered
	if q.State == "" || q.State == queue.Leased {
		var err error
		if leased, err = d.leasedJobs(ctx); err != nil {
			return page, err
		}
	}
	for {
		ids, more, err := d.merge(ctx, sources, leased, after, max(q.Limit+1, 100))
		if err != nil {
			return page, err
		}
		infos, err := d.infos(ctx, ids)
		if err != nil {
			return page, err
		}
		for i, info := range infos {
			fits := info.ID != "" && (q.Lane == "" || info.Lane == q.Lane) &&
				(q.State == "" || info.State == q.State) && (q.Box == "" || info.Box == q.Box)
			if fits && len(page.Jobs) == q.Limit {
				page.Next = strconv.FormatUint(after, 10)
				return page, d.fillBodies(ctx, q, page.Jobs)
			}
			if fits {
				page.Jobs = append(page.Jobs, info)
			}
			after = ids[i].seq
		}
		if !more {
			return page, d.fillBodies(ctx, q, page.Jobs)
		}
	}
}

// leasedJobs reads all leased jobs, which are few, by sequence.
func (d *Driver) leasedJobs(ctx context.Context) ([]numbered, error) {
	ids, err := d.rdb.HKeys(ctx, d.keys.of("epochs")).Result()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var out []numbered
	for part := range slices.Chunk(ids, 1000) {
		recs, err := d.rdb.HMGet(ctx, d.keys.of("jobs"), part...).Result()
		if err != nil {
			return nil, err
		}
		for i, v := range recs {
			text, _ := v.(string)
			if r, err := parseRecord(text); err == nil {
				out = append(out, numbered{part[i], r.Seq})
			}
		}
	}
	slices.SortFunc(out, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
	return out, nil
}

// merge returns the next n jobs of all sources by sequence, and whether there
// may be more.
func (d *Driver) merge(ctx context.Context, sources []source, leased []numbered, after uint64, n int) ([]numbered, bool, error) {
	var out []numbered
	from, _ := slices.BinarySearchFunc(leased, after+1, func(x numbered, seq uint64) int { return cmp.Compare(x.seq, seq) })
	end := min(from+n, len(leased))
	out = append(out, leased[from:end]...)
	more := end < len(leased)
	found := make([]*goredis.ZSliceCmd, len(sources))
	if len(sources) > 0 {
		_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for i, s := range sources {
				found[i] = p.ZRangeByScoreWithScores(ctx, s.key, s.rangeAfter(after, n))
			}
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	for i, s := range sources {
		got := found[i].Val()
		more = more || len(got) == n
		for _, z := range got {
			id, _ := z.Member.(string)
			out = append(out, numbered{id, uint64(z.Score) - s.base})
		}
	}
	slices.SortFunc(out, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
	out = slices.CompactFunc(out, func(a, b numbered) bool { return a.id == b.id })
	if len(out) > n {
		return out[:n], true, nil
	}
	return out, more, nil
}

// infos reads jobs as they are at one moment; one that is gone has no ID.
func (d *Driver) infos(ctx context.Context, ids []numbered) ([]queue.JobInfo, error) {
	out := make([]queue.JobInfo, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	names := make([]string, len(ids))
	for i := range ids {
		names[i] = ids[i].id
	}
	var recs, epochs, extras *goredis.SliceCmd
	_, err := d.rdb.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		recs = p.HMGet(ctx, d.keys.of("jobs"), names...)
		epochs = p.HMGet(ctx, d.keys.of("epochs"), names...)
		extras = p.HMGet(ctx, d.keys.of("extra"), names...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, id := range names {
		text, ok := recs.Val()[i].(string)
		if !ok {
			continue
		}
		r, err := parseRecord(text)
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", id, err)
		}
		extra, _ := extras.Val()[i].(string)
		out[i] = describe(id, r, epochs.Val()[i] != nil, extra)
	}
	return out, nil
}

func describe(id string, r record, leased bool, extra string) queue.JobInfo {
	info := queue.JobInfo{
		ID: id, Lane: r.Lane, Key: r.Key, Priority: r.Priority,
		Enqueued: r.Enqueued, Attempts: r.Attempts, Crashes: r.Crashes,
	}
	parts := strings.SplitN(extra, "\x00", 4)
	if len(parts) == 4 {
		info.Box, info.Group, info.Reason = parts[1], parts[2], parts[3]
	}
	switch {
	case leased:
		info.State = queue.Leased
	case r.State == recDelayed:
		info.State, info.Due = queue.Delayed, r.Due
	case r.State == recParked:
		info.State, info.Due = queue.Parked, r.Due
	case r.State == recDead:
		info.State = queue.DeadJob
		us, err := strconv.ParseUint(parts[0], 10, 64)
		if err == nil {
			info.DeadAt = microTime(us)
		}
	default:
		info.State = queue.Ready
	}
	return info
}

func (d *Driver) browseID(ctx context.Context, q queue.Query) (queue.Page, error) {
	var page queue.Page
	infos, err := d.infos(ctx, []numbered{{id: q.ID}})
	if err != nil {
		return page, err
	}
	if infos[0].ID != "" {
		page.Jobs = []queue.JobInfo{infos[0]}
	}
	return page, d.fillBodies(ctx, q, page.Jobs)
}

// fillBodies adds bodies where the query asks for them.
func (d *Driver) fillBodies(ctx context.Context, q queue.Query, jobs []queue.JobInfo) error {
	if !q.Bodies || len(jobs) == 0 {
		return nil
	}
	ids := make([]string, len(jobs))
	for i := range jobs {
		ids[i] = jobs[i].ID
	}
	recs, err := d.rdb.HMGet(ctx, d.keys.of("jobs"), ids...).Result()
	if err != nil {
		return err
	}
	var keys []string
	var of []int
	for i, v := range recs {
		text, _ := v.(string)
		if r, err := parseRecord(text); err == nil && r.Version > 0 {
			keys = append(keys, d.keys.body(r.Slot))
			of = append(of, i)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	bodies, err := d.rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return err
	}
	for k, i := range of {
		stored, there := bodies[k].(string)
		body, ok := openBody(ids[i], stored)
		if there && !ok {
			jobs[i].Reason = strings.TrimSpace(jobs[i].Reason + " (the body is damaged)")
		} else if there {
			jobs[i].Body = body
		}
	}
	return nil
}
