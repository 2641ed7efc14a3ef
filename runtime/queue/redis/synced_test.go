package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue/redis/redistest"
)

// WAITAOF is not in every server that tests meet, so its answers are played.
func TestConfirmationsAreCounted(t *testing.T) {
	for _, c := range []struct {
		synced bool
		answer any
		enough bool
	}{
		{false, int64(2), true}, {false, int64(3), true}, {false, int64(1), false}, {false, int64(0), false}, {false, "?", false},
		{true, []any{int64(1), int64(2)}, true}, {true, []any{int64(0), int64(2)}, false}, {true, []any{int64(1), int64(1)}, false},
		{true, []any{int64(1)}, false}, {true, int64(2), false},
	} {
		d := &Driver{opts: Options{Replicas: 2, Synced: c.synced}}
		cmd := goredis.NewCmd(t.Context(), d.waiting()...)
		cmd.SetVal(c.answer)
		if err := d.enough(cmd); (err == nil) != c.enough || err != nil && !errors.Is(err, errUnknown) {
			t.Errorf("%v answered %v: %v", d.waiting(), c.answer, err)
		}
	}
}

func TestSyncedNeedsAServerThatCan(t *testing.T) {
	d := &Driver{opts: Options{Replicas: 1, Synced: true}}
	for version, refused := range map[string]bool{"7.0.15": true, "6.2.1": true, "7.2.0": false, "8.0.1": false, "7.4.2": false, "": false} {
		if got := len(d.checkSynced(version)) > 0; got != refused {
			t.Errorf("version %q: refused %v", version, got)
		}
	}
	server := redistest.Start(t)
	info, err := server.Client().Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.checkSynced(parseInfo(info)["redis_version"])) == 0 {
		t.Skip("this redis-server has WAITAOF")
	}
	_, err = Open(t.Context(), server.URL()+"?replicas=1&synced=true", Options{})
	if err == nil || !strings.Contains(fmt.Sprint(err), "needs WAITAOF") {
		t.Errorf("open: %v", err)
	}
}

// A replica that may be promoted without having confirmed is told.
func TestMoreReplicasThanConfirm(t *testing.T) {
	for _, c := range []struct {
		asked     int
		connected string
		told      bool
	}{{1, "1", false}, {1, "2", true}, {2, "2", false}, {2, "1", false}, {0, "2", false}, {1, "", false}} {
		d := &Driver{opts: Options{Replicas: c.asked}}
		if got := len(d.checkReplicas(c.connected)) > 0; got != c.told {
			t.Errorf("replicas=%d with %q connected: told %v", c.asked, c.connected, got)
		}
	}
}
