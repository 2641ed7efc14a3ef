package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// neededRights are the ACL rules, beside its password, ~cd:* and &cd:*, of a user
// who may do what a store needs and no more; synced=true needs +waitaof besides.
const neededRights = "+@connection +@transaction +evalsha +script|load +time +info +config|get +wait +scan " +
	"+get +set +setnx +mget +msetnx +del +unlink +expire +pexpire +pttl +getrange +incrby " +
	"+hget +hmget +hset +hdel +hexists +hincrby +hgetall +hkeys " +
	"+zadd +zrem +zpopmin +zcard +zcount +zrange +zrangebyscore +zremrangebyscore +rpush +lpush +lpop +lpos +lrem +lrange +lindex +ltrim " +
	"+publish +subscribe +unsubscribe +cluster|slots +cluster|shards +command"

// Check reads how Redis is configured and says which promises hold; see
// queue.Driver.
func (d *Driver) Check(ctx context.Context) ([]queue.Finding, error) {
	if err := d.begin(); err != nil && err == queue.ErrClosed {
		return nil, err
	} else if err != nil {
		return []queue.Finding{{Fatal: true, Message: err.Error(), Hint: "restart after the store was looked into"}}, nil
	}
	defer d.end()
	node, err := d.node(ctx)
	if err != nil {
		return nil, fmt.Errorf("check redis: %w", err)
	}
	text, err := node.Info(ctx).Result()
	var findings []queue.Finding
	add := func(fatal bool, message, hint string) {
		findings = append(findings, queue.Finding{Fatal: fatal, Message: message, Hint: hint})
	}
	switch {
	case refused(err):
		add(false, "this user may not run INFO: the version and the role of the server are unknown", "grant +info in the ACL of the user")
	case err != nil:
		return nil, fmt.Errorf("check redis: %w", err)
	default:
		info := parseInfo(text)
		findings = append(findings, checkInfo(info)...)
		findings = append(findings, d.checkSynced(info["redis_version"])...)
		findings = append(findings, d.checkReplicas(info["connected_slaves"])...)
	}
	config, err := readConfig(ctx, node)
	switch {
	case refused(err):
		add(false, "this user may not run CONFIG GET: eviction and persistence cannot be checked",
			"grant +config|get in the ACL of the user, or make sure of maxmemory-policy noeviction and appendonly yes")
	case err != nil:
		return nil, fmt.Errorf("check redis: %w", err)
	default:
		findings = append(findings, d.checkConfig(config)...)
	}
	if n := d.wentBack.Load(); n > 0 {
		add(false, "Redis has lost writes that it had confirmed, while this process ran", "set appendfsync always, or replicas=N in the store URL")
	}
	return findings, nil
}

func refused(err error) bool {
	if err == nil {
		return false
	}
	word, _, _ := strings.Cut(err.Error(), " ")
	return word == "NOPERM" || word == "ERR" && strings.Contains(err.Error(), "unknown command")
}

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

func checkInfo(info map[string]string) []queue.Finding {
	var out []queue.Finding
	version := info["redis_version"]
	if info["valkey_version"] == "" && version != "" {
		major, _, _ := strings.Cut(version, ".")
		if n, err := strconv.Atoi(major); err == nil && n < 7 {
			out = append(out, queue.Finding{Fatal: true, Message: "Redis is version " + version, Hint: "use Redis 7.0 or newer, or Valkey"})
		}
	}
	if role := info["role"]; role == "slave" || role == "replica" {
		out = append(out, queue.Finding{Fatal: true, Message: "the URL leads to a replica, which takes no writes",
			Hint: "give the address of the master, or use redis+sentinel://"})
	}
	if info["aof_last_write_status"] == "err" {
		out = append(out, queue.Finding{Fatal: true, Message: "Redis could not write its append-only file", Hint: "look for a full or broken disk"})
	}
	return out
}

// checkSynced refuses a server that cannot wait for disks.
func (d *Driver) checkSynced(version string) []queue.Finding {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, err := strconv.Atoi(major)
	if !d.opts.Synced || err != nil || m > 7 {
		return nil
	}
	if n, err := strconv.Atoi(minor); err != nil || m == 7 && n >= 2 {
		return nil
	}
	return []queue.Finding{{Fatal: true, Message: "synced=true needs WAITAOF, and Redis is version " + version,
		Hint: "use Redis 7.2 or newer, or leave synced out of the store URL"}}
}

// checkReplicas tells that more replicas are connected than confirm a write: a
// failover may promote one that has not seen what another one confirmed.
func (d *Driver) checkReplicas(connected string) []queue.Finding {
	n, err := strconv.Atoi(connected)
	if err != nil || d.opts.Replicas == 0 || n <= d.opts.Replicas {
		return nil
	}
	return []queue.Finding{{
		Message: fmt.Sprintf("%d replicas are connected and %d of them confirm a write: a failover to another one may lose what was confirmed", n, d.opts.Replicas),
		Hint:    fmt.Sprintf("set replicas=%d in the store URL, or replica-priority 0 on those that must not be promoted", n),
	}}
}

func readConfig(ctx context.Context, node goredis.Cmdable) (map[string]string, error) {
	config := map[string]string{}
	for _, name := range []string{"maxmemory", "maxmemory-policy", "appendonly", "appendfsync", "min-replicas-to-write"} {
		got, err := node.ConfigGet(ctx, name).Result()
		if err != nil {
			return nil, err
		}
		for k, v := range got {
			config[k] = v
		}
	}
	return config, nil
}

func (d *Driver) checkConfig(config map[string]string) []queue.Finding {
	var out []queue.Finding
	add := func(fatal bool, message, hint string) {
		out = append(out, queue.Finding{Fatal: fatal, Message: message, Hint: hint})
	}
	if policy := config["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		limited := config["maxmemory"] != "0"
		message := "maxmemory-policy is " + policy + ": Redis deletes messages when its memory is full"
		if !limited {
			message = "maxmemory-policy is " + policy + ", which would delete messages as soon as maxmemory is set"
		}
		add(limited, message, "CONFIG SET maxmemory-policy noeviction")
	}
	if config["appendonly"] == "no" {
		add(true, "appendonly is no: a restart of Redis loses messages that were accepted", "CONFIG SET appendonly yes, and write it to redis.conf")
	} else {
		switch config["appendfsync"] {
		case "always":
			add(false, "appendfsync is always: what was accepted survives a power cut", "nothing to do")
		case "everysec":
			add(false, "appendfsync is everysec: what was accepted survives a crash of Redis, except the last two seconds while its disk is slow; a power cut may take the last two seconds",
				"set appendfsync always where a power cut must lose nothing")
		case "no":
			add(false, "appendfsync is no: what was accepted survives a crash of Redis; a power cut may take the last half minute",
				"set appendfsync everysec or always")
		}
	}
	switch {
	case d.opts.Synced:
		add(false, fmt.Sprintf("each write is on the disks of the master and of %d replicas before it counts as accepted", d.opts.Replicas),
			"keep that many replicas that can be promoted, and no more")
	case d.opts.Replicas > 0:
		add(false, fmt.Sprintf("each write is confirmed by %d replicas before it counts as accepted; they have it in memory, and on disk a little later", d.opts.Replicas),
			"keep that many replicas that can be promoted, and no more")
	}
	return out
}

// Promises tells what commits survive, as far as Redis shows its settings; see
// queue.Durable.
func (d *Driver) Promises(ctx context.Context) ([]queue.Durability, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	var out []queue.Durability
	if d.opts.Replicas > 0 {
		out = append(out, queue.Replicated)
	}
	node, err := d.node(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask redis for its settings: %w", err)
	}
	config, err := readConfig(ctx, node)
	switch {
	case refused(err):
		return out, nil
	case err != nil:
		return nil, fmt.Errorf("ask redis for its settings: %w", err)
	}
	if config["appendonly"] == "yes" {
		out = append(out, queue.Process)
		if config["appendfsync"] == "always" || d.opts.Synced {
			out = append(out, queue.Fsync)
		}
	}
	return out, nil
}
