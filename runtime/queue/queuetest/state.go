package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// get reads one state value.
func (k *kit) get(key string) queue.Value {
	k.Helper()
	v, err := k.d.Get(k.ctx, key)
	if err != nil || len(v) != 1 || v[0].Key != key {
		k.Fatalf("get %s: %+v, %v", key, v, err)
	}
	return v[0]
}

func put(key string, version int64, value string) queue.Commit {
	p := queue.Put{Key: key, Version: version}
	if value != "" {
		p.Value = []byte(value)
	}
	return queue.Commit{Put: []queue.Put{p}}
}

func exerciseState(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"versions": func(k *kit) {
			k.equal("none", k.get("s").Version, 0)
			k.refuse(queue.ErrVersion, put("s", 1, "x"))
			k.apply(put("s", 0, "one"))
			k.equal("first", k.get("s").Version, 1)
			k.refuse(queue.ErrVersion, put("s", 0, "x"))
			k.apply(put("s", 1, "two"))
			v := k.get("s")
			k.equal("second", []any{v.Version, string(v.Data)}, []any{2, "two"})
			k.apply(put("s", queue.AnyVersion, "three"))
			k.equal("third", k.get("s").Version, 3)
			k.refuse(queue.ErrVersion, put("s", 2, ""))
			k.apply(put("s", 3, ""))
			v = k.get("s")
			k.equal("deleted", []any{v.Version, len(v.Data)}, []any{0, 0})
			k.apply(put("s", 0, "anew"))
			k.apply(put("none", queue.AnyVersion, ""))
		},
		"an empty value is a value": func(k *kit) {
			k.apply(queue.Commit{Put: []queue.Put{{Key: "s", Value: []byte{}}}})
			k.equal("version", k.get("s").Version, 1)
		},
		"many at once": func(k *kit) {
			k.apply(queue.Commit{Put: []queue.Put{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}}})
			vs, err := k.d.Get(k.ctx, "b", "c", "a")
			if err != nil {
				k.Fatal(err)
			}
			k.equal("values", []any{string(vs[0].Data), vs[1].Version, string(vs[2].Data)}, []any{"2", 0, "1"})
		},
		"one version that does not fit refuses the whole commit": func(k *kit) {
			k.apply(put("a", 0, "1"))
			k.add(job("j", "k"))
			l := k.one("j")
			k.refuse(queue.ErrVersion, queue.Commit{
				Finish: []queue.Finish{{Lease: l}},
				Put:    []queue.Put{{Key: "b", Value: []byte("x")}, {Key: "a", Value: []byte("x")}},
			})
			k.equal("b", k.get("b").Version, 0)
			k.state("j", queue.Leased)
			k.done(l)
		},
		"a value is forgotten after its time": func(k *kit) {
			k.apply(queue.Commit{Put: []queue.Put{
				{Key: "short", Value: []byte("x"), TTL: time.Hour}, {Key: "kept", Value: []byte("y"), TTL: time.Hour}}})
			k.apply(put("kept", 1, "for ever"))
			k.equal("left for ever", k.get("kept").Left, time.Duration(0))
			if left := k.get("short").Left; left > time.Hour || left < 59*time.Minute {
				k.Errorf("an hour's value is left for %s", left)
			}
			k.sweep(30 * time.Minute)
			k.equal("still there", k.get("short").Version, 1)
			k.sweep(2 * time.Hour)
			k.equal("gone", k.get("short").Version, 0)
			k.equal("written again without a time", string(k.get("kept").Data), "for ever")
			k.apply(put("short", 0, "anew"))
		},
		"counting from many at once": func(k *kit) {
			const n, each = 8, 5
			together(n, func(int) {
				for done := 0; done < each; {
					v, err := k.d.Get(k.ctx, "n")
					if err != nil {
						k.Errorf("get: %v", err)
						return
					}
					_, err = k.d.Apply(k.ctx, queue.Commit{Put: []queue.Put{
						{Key: "n", Version: v[0].Version, Value: fmt.Append(nil, v[0].Version+1)}}})
					switch err {
					case nil:
						done++
					case queue.ErrVersion:
					default:
						k.Errorf("put: %v", err)
						return
					}
				}
			})
			v := k.get("n")
			k.equal("counted", []any{v.Version, string(v.Data)}, []any{n * each, fmt.Sprint(n * each)})
		},
		"watch": func(k *kit) {
			ctx, cancel := context.WithCancel(k.ctx)
			defer cancel()
			c, err := k.d.Watch(ctx, "s")
			if err != nil {
				k.Fatal(err)
			}
			k.apply(put("other", 0, "x"))
			k.apply(put("s", 0, "1"))
			k.signal(c)
			k.apply(put("s", 1, "2"))
			k.apply(put("s", 2, ""))
			k.signal(c)
			cancel()
			k.closed(c)
		},
	})
}

// signal waits for a signal of Watch.
func (k *kit) signal(c <-chan struct{}) {
	k.Helper()
	select {
	case _, ok := <-c:
		if !ok {
			k.Fatal("the watch ended")
		}
	case <-time.After(10 * time.Second):
		k.Fatal("no signal came")
	}
}

// closed waits for the end of a Watch.
func (k *kit) closed(c <-chan struct{}) {
	k.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case _, ok := <-c:
			if !ok {
				return
			}
		case <-deadline:
			k.Fatal("the watch did not end")
		}
	}
}
