package redis

import (
	"slices"
	"strings"

	"crossdock/runtime/mutant"
)

// planted are the mistakes that can be planted in the scripts; see package
// mutant.
var planted = []struct {
	id       mutant.ID
	scripts  []string
	old, new string
}{
	{mutant.M4, []string{"apply", "drain"}, "if epochs[ARGV[i + 1]] ~= ARGV[i + 4] then return 1 end", ""},
	{mutant.M11, []string{"apply", "drain"}, "call('RPUSH', P .. K.queue .. lane .. '\\0' .. key, id)",
		"call('RPUSH', P .. K.queue .. lane .. '\\0' .. key, id) call('LTRIM', P .. K.queue .. lane .. '\\0' .. key, -8, -1)"},
	{mutant.M15, []string{"lease"}, "many('ZADD', kLeases, leases)", ""},
}

// mutated returns a script with the mistake that is chosen; without the build
// tag, the script.
func mutated(name, body string) string {
	for _, p := range planted {
		if mutant.On(p.id) && slices.Contains(p.scripts, name) {
			body = strings.Replace(body, p.old, p.new, 1)
		}
	}
	return body
}
