package redis

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// suffixes is the whole layout of a shard: the name by which a script knows a
// key, and what follows the shard's prefix. A suffix with a colon goes on with
// a lane, an ID or another name.
var suffixes = map[string]string{
	"mark":        "mark",    // string: random word, made with the store
	"seq":         "seq",     // string: number of the last job
	"epoch":       "epoch",   // string: the next epoch is at least this
	"jobs":        "j",       // hash: job ID -> record (state, numbers, lane, key, slot)
	"extra":       "x",       // hash: job ID -> since, box, group, reason (dead and parked)
	"epochs":      "e",       // hash: leased job ID -> epoch
	"leases":      "l",       // zset: leased job ID by deadline
	"due":         "z",       // zset: delayed or parked job ID by due time
	"stats":       "n:lanes", // hash: state letter + lane -> how many
	"counters":    "n:kinds", // hash: kind, NUL, pipeline -> how many
	"recent":      "recent",  // list: pointers to the newest history entries, newest first
	"recentTotal": "recent#", // string: how many pointers were ever pushed
	"keys":        "k:",      // k:<lane> hash: held key -> how many jobs wait behind its head
	"ready":       "r:",      // r:<lane> zset: leasable job ID by priority, then sequence
	"turns":       "n:turn",  // hash: lane -> position among the turns of the priorities
	"waiting":     "w:",      // w:<lane> zset: delayed and parked job ID by sequence
	"dead":        "d:",      // d:<lane> zset: dead job ID by sequence
	"behind":      "b:",      // b:<lane> zset: job ID behind a head, by sequence
	"queue":       "q:",      // q:<lane>NUL<key> list: job IDs behind the head, in order
	"body":        "p:",      // p:<slot> string: checked body
	"dedupe":      "i:",      // i:<dedupe> string with TTL: digest (8 bytes), ID of the first job
	"history":     "h:",      // h:<root> list with TTL: entries of one family of messages
	"ref":         "f:",      // f:<value> zset with TTL: type NUL root, by time of writing
	"state":       "s:",      // s:<key> string: version:value
	"watch":       "v:",      // v:<key> channel: a state value was written
	"renewal":     "renewal", // string with TTL: the session that renews history this time
	"session":     "c:",      // c:<session> hash: answers of calls whose caller may not know them
}

// keyset builds the keys of one shard. All of them share one hash tag, hence
// one slot of a cluster, so that a script may touch any of them.
type keyset struct{ prefix string }

func newKeyset(prefix string, shard int) keyset {
	return keyset{fmt.Sprintf("%s:{%s%d}:", prefix, tag(prefix), shard)}
}

// tag keeps stores with different prefixes in different slots of a cluster, and
// the usual prefix short.
func tag(prefix string) string {
	if prefix == defaultPrefix {
		return ""
	}
	return prefix + "."
}

func (k keyset) of(name string, rest ...string) string {
	suffix, ok := suffixes[name]
	if !ok {
		panic("redis: no key named " + name)
	}
	return k.prefix + suffix + strings.Join(rest, "")
}

func (k keyset) body(slot uint64) string { return k.prefix + suffixes["body"] + slotText(slot) }

// dedupeName shortens a long idempotency key, which may come from a stranger,
// to a fixed size. The colon keeps the two forms apart.
func dedupeName(dedupe string) string {
	if len(dedupe) <= 48 {
		return dedupe
	}
	sum := sha256.Sum256([]byte(dedupe))
	return ":" + base64.RawURLEncoding.EncodeToString(sum[:18]) + ":" + dedupe[:16]
}

// luaKeys is the layout as the Lua table K, which opens every script.
func luaKeys() string {
	names := make([]string, 0, len(suffixes))
	for name, suffix := range suffixes {
		names = append(names, fmt.Sprintf("%s = %q", name, suffix))
	}
	slices.Sort(names)
	return "local K = { " + strings.Join(names, ", ") + " }\n"
}
