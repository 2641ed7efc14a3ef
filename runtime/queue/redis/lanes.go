package redis

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// laneStats reads the counters of all lanes.
func (d *Driver) laneStats(ctx context.Context) (map[string]*queue.LaneStat, error) {
	fields, err := d.rdb.HGetAll(ctx, d.keys.of("stats")).Result()
	if err != nil {
		return nil, err
	}
	lanes := map[string]*queue.LaneStat{}
	for field, text := range fields {
		n, err := strconv.Atoi(text)
		if err != nil || field == "" {
			return nil, errRecord
		}
		name, reason := field[1:], ""
		if field[0] == 'p' {
			// A reason is free text and may hold what separates: the lane is last.
			i := strings.LastIndexByte(name, 0)
			if i < 0 {
				return nil, errRecord
			}
			reason, name = name[:i], name[i+1:]
		}
		s := lanes[name]
		if s == nil {
			s = &queue.LaneStat{Lane: name, Parked: map[string]int{}}
			lanes[name] = s
		}
		switch field[0] {
		case 'r':
			s.Ready = n
		case 'l':
			s.Leased = n
		case 'd':
			s.Delayed = n
		case 'x':
			s.Dead = n
		case 'p':
			s.Parked[reason] = n
		}
	}
	return lanes, nil
}

func (d *Driver) browseLanes(ctx context.Context, q queue.Query) (queue.Page, error) {
	stats, err := d.laneStats(ctx)
	if err != nil {
		return queue.Page{}, err
	}
	var page queue.Page
	for _, name := range slices.Sorted(maps.Keys(stats)) {
		if q.Lane != "" && name != q.Lane || q.After != "" && name <= q.After {
			continue
		}
		if len(page.Lanes) == q.Limit {
			page.Next = page.Lanes[q.Limit-1].Lane
			break
		}
		page.Lanes = append(page.Lanes, *stats[name])
	}
	return page, d.fillOldest(ctx, page.Lanes)
}

// fillOldest looks up the first of each index of each lane.
func (d *Driver) fillOldest(ctx context.Context, lanes []queue.LaneStat) error {
	if len(lanes) == 0 {
		return nil
	}
	firsts := make([][]*goredis.StringSliceCmd, len(lanes))
	_, err := d.rdb.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i := range lanes {
			for _, s := range d.sources(lanes[i].Lane, "") {
				if s.index != "dead" {
					firsts[i] = append(firsts[i], p.ZRangeByScore(ctx, s.key, s.rangeAfter(0, 1)))
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range lanes {
		var ids []string
		for _, c := range firsts[i] {
			ids = append(ids, c.Val()...)
		}
		if len(ids) == 0 {
			continue
		}
		recs, err := d.rdb.HMGet(ctx, d.keys.of("jobs"), ids...).Result()
		if err != nil {
			return err
		}
		for _, v := range recs {
			text, _ := v.(string)
			if r, err := parseRecord(text); err == nil && (lanes[i].Oldest.IsZero() || r.Enqueued.Before(lanes[i].Oldest)) {
				lanes[i].Oldest = r.Enqueued
			}
		}
	}
	return nil
}
