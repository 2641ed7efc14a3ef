// Package peers holds the same work as written for the systems compared with.
package peers

import (
	_ "embed"
	"fmt"
	"strings"
)

// Bloblang is the mapping for Benthos.
//
//go:embed order.blobl
var Bloblang string

// JQ is the mapping as one jq program.
//
//go:embed order.jq
var JQ string

const quiet = `http: {enabled: false}
logger: {level: WARN}
metrics: {none: {}}
shutdown_timeout: 5s
`

func processors() string {
	return "pipeline:\n  threads: -1\n  processors:\n    - mapping: |\n        " +
		strings.ReplaceAll(strings.TrimSpace(Bloblang), "\n", "\n        ") + "\n"
}

// HTTP configures Benthos to take orders at addr and to post shipments to
// target. It stores nothing.
func HTTP(addr, target string) string {
	return quiet + fmt.Sprintf("input:\n  http_server: {address: %q, path: /orders, allowed_verbs: [POST], timeout: 10s}\n", addr) +
		processors() + fmt.Sprintf("output:\n  http_client:\n    url: http://%s/in\n    verb: POST\n    headers: {Content-Type: application/json}\n    max_in_flight: 64\n", target)
}

// File configures Benthos to map the lines of one file into another and end.
func File(in, out string) string {
	return quiet + fmt.Sprintf("input:\n  file: {paths: [%q], scanner: {lines: {}}}\n", in) +
		processors() + fmt.Sprintf("output:\n  file: {path: %q, codec: lines}\n", out)
}

// ToRedis configures Bento to take orders at addr and to put those it has not
// seen on a Redis stream. Looking and putting are two steps: a crash between
// them loses the order.
func ToRedis(addr, url string) string {
	return quiet + fmt.Sprintf("input:\n  http_server: {address: %q, path: /orders, allowed_verbs: [POST], timeout: 10s}\n", addr) +
		"pipeline:\n  threads: -1\n  processors:\n    - dedupe: {cache: seen, key: '${! this.orderNo }'}\n" +
		fmt.Sprintf("cache_resources:\n  - {label: seen, redis: {url: %q, default_ttl: 24h, prefix: 'seen:'}}\n", url) +
		fmt.Sprintf("output:\n  redis_streams: {url: %q, stream: orders, body_key: d, max_in_flight: 64}\n", url)
}

// FromRedis configures Bento to map the orders of a Redis stream and to post
// them to target.
func FromRedis(url, target string) string {
	return quiet + fmt.Sprintf("input:\n  redis_streams: {url: %q, body_key: d, streams: [orders], limit: 100, consumer_group: g, client_id: c1, "+
		"create_streams: true, start_from_oldest: true, commit_period: 100ms, timeout: 1s}\n", url) +
		processors() + fmt.Sprintf("output:\n  http_client:\n    url: http://%s/in\n    verb: POST\n    headers: {Content-Type: application/json}\n    max_in_flight: 64\n", target)
}
