// Package sender is the sources: many connections that send the messages of
// their keys one after the other, repeat some, and try again until they are
// told that a message was taken in.
package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/record"
)

// Senders are all sources of a run.
type Senders struct {
	Plan   plan.Plan
	Stream event.Stream
	Log    *record.Log
	// Replicas returns the webhook addresses to choose from.
	Replicas func() []Replica
	// Drop is the folder for files.
	Drop string

	client *http.Client
}

// Replica is one address.
type Replica struct {
	Number int
	Addr   string
}

const (
	repeatShare = 0.05 // at once
	lateShare   = 0.02 // some seconds later
	giveUpShare = 0.03 // of messages whose outcome is unknown
)

// line is the messages of one key.
type line struct {
	flow   event.Flow
	key    string
	turn   int
	weight float64
}

type later struct {
	e   event.Event
	due time.Time
}

// Run sends until ctx ends; what was begun is seen through until patience ends.
func (s *Senders) Run(ctx, patience context.Context) {
	s.client = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: s.Plan.Senders, DisableCompression: true,
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}}
	lines := make([][]*line, s.Plan.Senders)
	for i := range s.Plan.Keys {
		for _, f := range event.Flows() {
			if f.Files {
				continue
			}
			l := &line{flow: f, key: fmt.Sprintf("k%d", i), weight: 1 / math.Pow(float64(i+1), s.Plan.Zipf)}
			n := int(s.Stream.Seed+uint64(i)*7+uint64(len(f.Name))) % len(lines)
			lines[n] = append(lines[n], l)
		}
	}
	var all sync.WaitGroup
	for n, own := range lines {
		if len(own) > 0 {
			all.Go(func() { s.source(ctx, patience, n, own) })
		}
	}
	all.Go(func() { s.files(ctx) })
	all.Wait()
	s.client.CloseIdleConnections()
}

// source sends the messages of some keys.
func (s *Senders) source(ctx, patience context.Context, n int, lines []*line) {
	r := rand.New(rand.NewPCG(s.Plan.Seed, uint64(n)))
	pause := time.Duration(s.Plan.Senders) * time.Second / time.Duration(s.Plan.Rate)
	sum := 0.0
	for _, l := range lines {
		sum += l.weight
	}
	var waiting []later
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if len(waiting) > 0 && time.Now().After(waiting[0].due) {
			s.send(patience, r, waiting[0].e, true)
			waiting = waiting[1:]
			continue
		}
		x := r.Float64() * sum
		l := lines[len(lines)-1]
		for _, c := range lines {
			if x -= c.weight; x < 0 {
				l = c
				break
			}
		}
		e := s.Stream.At(l.flow.Name, l.key, l.turn)
		l.turn++
		sent := s.send(patience, r, e, false)
		if sent.Result != record.OK {
			continue
		}
		switch x := r.Float64(); {
		case x < repeatShare:
			s.send(patience, r, e, true)
		case x < repeatShare+lateShare:
			waiting = append(waiting, later{e, time.Now().Add(time.Duration(1+r.IntN(5)) * time.Second)})
		}
	}
}

// send tries until the message is taken in, or gives up.
func (s *Senders) send(ctx context.Context, r *rand.Rand, e event.Event, repeat bool) record.Sent {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // the event is ours
	}
	out := record.Sent{ID: e.ID, Begin: s.Log.Now(), Repeat: repeat}
	pause := 50 * time.Millisecond
	for {
		replicas := s.Replicas()
		to := replicas[r.IntN(len(replicas))]
		f := record.Failure{ID: e.ID, Replica: to.Number, Begin: s.Log.Now()}
		out.Result, f.Status, f.What = s.post(to, e.Flow, body, &out)
		out.End = s.Log.Now()
		if out.Result == record.OK {
			break
		}
		f.End = out.End
		s.Log.Failure(f)
		out.Doubt = out.Doubt || out.Result == record.Unknown
		if out.Result == record.Fail && f.Status != 0 || ctx.Err() != nil || out.Doubt && r.Float64() < giveUpShare {
			if out.Doubt {
				out.Result = record.Unknown
			}
			break
		}
		time.Sleep(pause) // as a real sender does
		pause = min(pause*2, time.Second)
	}
	s.Log.Sent(out)
	return out
}

// post makes one try.
func (s *Senders) post(to Replica, flow string, body []byte, out *record.Sent) (record.Result, int, string) {
	resp, err := s.client.Post("http://"+to.Addr+"/in/"+flow, "application/json", bytes.NewReader(body))
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return record.Fail, 0, "refused"
		}
		return record.Unknown, 0, err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	var told struct {
		ID     string   `json:"id"`
		IDs    []string `json:"ids"`
		Status string   `json:"status"`
	}
	switch {
	case err != nil:
		return record.Unknown, 0, err.Error()
	case resp.StatusCode >= 500:
		return record.Unknown, resp.StatusCode, string(answer)
	case resp.StatusCode >= 300:
		return record.Fail, resp.StatusCode, string(answer)
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return record.Fail, resp.StatusCode, "an answer that is no JSON: " + string(answer)
	}
	out.Message, out.Word = told.ID, told.Status
	return record.OK, resp.StatusCode, ""
}

// files drops files of many lines now and then. A file that was moved into its
// folder counts as taken over.
func (s *Senders) files(ctx context.Context) {
	const every, lines = 700 * time.Millisecond, 25
	tick := time.NewTicker(every)
	defer tick.Stop()
	turns := map[string]int{}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var text strings.Builder
		var sent []record.Sent
		for i := range lines {
			key := fmt.Sprintf("k%d", (n+i)%5)
			e := s.Stream.At("drop", key, turns[key])
			turns[key]++
			raw, err := json.Marshal(e)
			if err != nil {
				panic(err) // the event is ours
			}
			text.Write(append(raw, '\n'))
			sent = append(sent, record.Sent{ID: e.ID, Begin: s.Log.Now(), Result: record.OK, Word: "dropped"})
		}
		name := filepath.Join(s.Drop, fmt.Sprintf("%05d.ndjson", n))
		if err := os.WriteFile(name+".part", []byte(text.String()), 0o644); err != nil {
			panic(err) // a disk that no fault is allowed to touch
		}
		if err := os.Rename(name+".part", name); err != nil {
			panic(err)
		}
		for _, e := range sent {
			e.End = s.Log.Now()
			s.Log.Sent(e)
		}
	}
}
