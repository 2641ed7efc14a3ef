package redis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
)

//go:embed lua/prelude.lua
var preludeText string

//go:embed lua/apply.lua
var applyText string

//go:embed lua/lease.lua
var leaseText string

//go:embed lua/extend.lua
var extendText string

//go:embed lua/sweep.lua
var sweepText string

//go:embed lua/settle.lua
var settleText string

// script is one Lua script as Redis knows it.
type script struct{ name, text, sha string }

// newScript completes a script with the key layout and the shared functions.
// The flag allow-oom lets a script run while Redis is out of memory: for all
// that takes work out of the store, or only notes its progress.
func newScript(name, body string, allowOOM bool) *script {
	head := "#!lua\n"
	if allowOOM {
		head = "#!lua flags=allow-oom\n"
	}
	text := head + luaKeys() + preludeText + "\n" + mutated(name, body)
	sum := sha1.Sum([]byte(text))
	return &script{name, text, hex.EncodeToString(sum[:])}
}

var (
	applyScript  = newScript("apply", applyText, false)
	drainScript  = newScript("drain", applyText, true) // apply for commits that go on with old work
	leaseScript  = newScript("lease", leaseText, true)
	extendScript = newScript("extend", extendText, true)
	sweepScript  = newScript("sweep", sweepText, true)
	settleScript = newScript("settle", settleText, true)

	allScripts = []*script{applyScript, drainScript, leaseScript, extendScript, sweepScript, settleScript}
)
