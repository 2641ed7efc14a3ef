package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/dsl"
	"crossdock/runtime/admin"
	"crossdock/runtime/catalog"
)

// jqBombs and ruleBombs want more time or memory than there is. Those that the
// check of definitions lets pass must be stopped where they run.
var jqBombs = []string{
	`[range(1000000000)] | length`,
	`reduce range(1000000000) as $i (0; . + 1)`,
	`last(repeat(1))`,
	`def f: f; f`,
	`def f: [f]; f`,
	`0 | until(false; . + 1)`,
	`[limit(1000000000; repeat(1))] | length`,
	`"x" * 1000000000 | length`,
	`reduce range(60) as $i ("ab"; . + .) | length`,
	`reduce range(60) as $i ([1]; . + .) | length`,
	`reduce range(30) as $i ({}; {a: ., b: .}) | tojson | length`,
	`[[range(2000)], [range(2000)], [range(2000)]] | [combinations] | length`,
	`[range(3000)] as $a | [$a[] as $x | $a[] as $y | $a[] as $z | $x] | length`,
	`[] | .[1000000000] = 1 | length`,
	`null | setpath([500000000]; 1) | length`,
	`[range(300000)] | tojson | [scan("[0-9]")] | length`,
	`.text | test("(a?){500}b")`,
	`.text | [match("(a*)*"; "g")] | length`,
	`.text | gsub("a"; .text // "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") | gsub("a"; "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb") | length`,
	`.text | explode | map([., .]) | flatten | implode | length`,
	`[.list[]? as $x | .list[]? as $y | select($x == $y)] | length`,
	`[.list[]? as $x | (.list | index($x))] | length`,
	`.list | map(tostring) | [combinations(2)] | length`,
	`[.list[]? | tostring] | reduce .[] as $s (""; . + $s) | length`,
	`[recurse(if . < 100000000 then . + 1 else empty end; true)] | length`,
	`[range(2000)] | map([range(2000)]) | transpose | length`,
	`.text | [splits("")] | length`,
	`[limit(3; .list | recurse(.[1:]))] | length`,
	`.list | sort_by(tojson) | group_by(. % 7) | tojson | @base64 | @base64 | @base64 | length`,
	`1e1000 | tostring | length`,
	`[range(100000)] | [.[:50000], .[50000:]] | [.[] | [.[] | [range(1000)]]] | length`,
}

var ruleBombs = []string{
	`len(map(1..1000000, {map(1..1000, {#})})) > 0`,
	`all(1..1000000, {any(1..1000000, {# < 0})})`,
	`repeat(repeat("x", 100000), 100000) != ""`,
	`len(filter(1..100000000, {# % 2 == 0})) > 5`,
	`sum(map(1..10000, {sum(1..10000)})) > 0`,
	`data.text matches "(a?){500}b"`,
	`any(data.list, {len(filter(data.list, {# == 1})) < 0})`,
	`len(data.text + data.text + data.text) > 0 and all(1..10000000, {# > 0})`,
	`reduce(1..10000000, {#acc + #}) > 0`,
	`len(join(map(1..1000000, {data.text}), ",")) > 0`,
}

// TestBombs runs every bomb in one process, beside a neighbour that must not
// notice.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process for a minute")
	}
	c := newCrash(t)
	c.store = "embedded:" + filepath.Join(c.dir, ".crossdock", "store")
	c.save("crossdock.yaml", "crossdock: 1\nlimits: {max_body: 8MiB}\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 3, wait: 200ms, grow: 1, on: [timeout, connection, 5xx]}}\n")
	live := map[string]string{} // pipeline -> bomb
	refused := 0
	try := func(name, bomb, mapping, pipeline string) {
		if mapping != "" {
			c.save("bombs/"+name+".mapping.yaml", mapping)
		}
		c.save("bombs/"+name+".pipeline.yaml", pipeline)
		_, list, err := dsl.Load(os.DirFS(c.dir), dsl.Options{Catalog: catalog.New(), Std: std()})
		if err != nil {
			t.Fatal(err)
		}
		if !list.HasErrors() {
			live[name] = bomb
			return
		}
		refused++
		for _, suffix := range []string{".mapping.yaml", ".pipeline.yaml"} {
			if err := os.Remove(filepath.Join(c.dir, "bombs", name+suffix)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	head := "pipeline: %[1]s\ntrigger: {http: {path: /%[1]s, verify: none}}\nkey: [.n]\ntrace_by: {n: .n}\n"
	for i, bomb := range jqBombs {
		name := fmt.Sprintf("jq%d", i)
		try(name, bomb, fmt.Sprintf("mapping: %s\nfields:\n  x:\n    from: |\n      %s\n", name, bomb),
			fmt.Sprintf(head, name)+fmt.Sprintf("steps:\n  - {send: target.put, map: %s}\n", name))
	}
	for i, bomb := range ruleBombs {
		name := fmt.Sprintf("rule%d", i)
		quoted, _ := json.Marshal(bomb)
		try(name, bomb, "", fmt.Sprintf(head, name)+fmt.Sprintf("when: %s\nsteps:\n  - {send: target.put, map: out}\n", quoted))
	}
	if len(live) < 20 {
		t.Errorf("only %d bombs pass the check: nothing is tried", len(live))
	}
	var err error
	if c.log, err = os.Create(filepath.Join(c.t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	defer c.log.Close()
	c.start()
	defer c.kill()
	before := peakMemory(t, c.process)

	stop := make(chan struct{})
	neighbour := make(chan time.Duration)
	var served atomic.Int64
	go func() {
		var worst time.Duration
		for n := 1; ; n++ {
			select {
			case <-stop:
				neighbour <- worst
				return
			default:
			}
			began := time.Now()
			if status := c.ask(t, "/in", fmt.Sprintf(`{"k":"n","seq":%d}`, n), ""); status != 202 {
				t.Errorf("the neighbour was answered %d", status)
			}
			worst = max(worst, time.Since(began))
			served.Add(1)
			time.Sleep(5 * time.Millisecond) // a calm neighbour
		}
	}()
	list := strings.TrimSuffix(strings.Repeat("7,", 100_000), ",")
	payload := fmt.Sprintf(`{"n":1,"text":%q,"list":[%s]}`, strings.Repeat("a", 1<<20), list)
	began := time.Now()
	for name := range live {
		if status := c.ask(t, "/"+name, payload, ""); status != 202 {
			t.Errorf("%s: %d", name, status)
		}
	}
	c.payloadBombs(t)
	b := c.settle()
	took := time.Since(began)
	close(stop)
	worst := <-neighbour
	after := peakMemory(t, c.process)
	t.Logf("%d bombs ran, %d were refused by the check | peak memory %d -> %d MiB | all ended in %s | neighbour: %d served, slowest answer %s",
		len(live), refused, before>>20, after>>20, took.Round(time.Millisecond), served.Load(), worst.Round(time.Millisecond))
	// All evaluations together are bounded as one; every message is held beside,
	// as bytes and decoded, and what is garbage until it is collected.
	if most := before + 256<<20 + int64(len(live))*(16<<20); after > most {
		t.Errorf("peak memory is %d MiB, all bombs together may hold %d MiB", after>>20, most>>20)
	}
	if worst > 5*time.Second {
		t.Errorf("the neighbour waited %s", worst)
	}
	c.judgeBombs(t, live)
	if b.Unaccounted != 0 {
		t.Errorf("balance %+v", b)
	}
}

// judgeBombs looks at what became of each bomb: stopped with a clear cause, or
// harmless after all.
func (c *crash) judgeBombs(t *testing.T, live map[string]string) {
	t.Helper()
	client := c.client(t)
	var page admin.DeadPage
	if err := client.Get(context.Background(), "/v1/dead", map[string][]string{"limit": {"1000"}}, &page); err != nil {
		t.Fatal(err)
	}
	foul := regexp.MustCompile(`goroutine|runtime error|panic|interface conversion|0x[0-9a-f]{6}|internal error`)
	dead := map[string]bool{}
	for _, l := range page.Letters {
		dead[l.Pipeline] = true
		if foul.MatchString(l.Reason) || l.Reason == "" || len(l.Reason) > 2000 {
			t.Errorf("%s: %s\n  ends as %q", l.Pipeline, live[l.Pipeline], l.Reason)
		}
		t.Logf("%-7s %-60.60s %.110s", l.Pipeline, live[l.Pipeline], l.Reason)
	}
	for name, bomb := range live {
		if !dead[name] {
			t.Logf("%-7s harmless: %s", name, bomb)
		}
	}
	if len(dead) < len(live)/3 {
		t.Errorf("only %d of %d bombs were stopped: they are none", len(dead), len(live))
	}
}

// payloadBombs sends what only hurts by its form. None may be accepted unread
// or take the process down.
func (c *crash) payloadBombs(t *testing.T) {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]struct {
		body, coding string
		want         string // statuses
	}{
		"nesting":        {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "", "400"},
		"nested objects": {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), "", "400"},
		"too large":      {`"` + strings.Repeat("x", 9<<20) + `"`, "", "413"},
		"gzip bomb":      {packed.String(), "gzip", "413"},
		"no gzip":        {"x", "gzip", "400"},
		"key twice":      {`{"k":"a","k":"b","seq":1}`, "", "400"},
		"bad UTF-8":      {"{\"k\":\"\xff\",\"seq\":1}", "", "400"},
		"half surrogate": {`{"k":"\ud800","seq":1}`, "", "400"},
		"1e400":          {`{"k":"big","seq":1e400}`, "", "202 400 422"},
		"-1e400":         {`{"k":"big","seq":-1e400}`, "", "202 400 422"},
		"long number":    {`{"k":"long","seq":` + strings.Repeat("9", 100_000) + `}`, "", "202 400 422"},
		"nothing":        {"", "", "400 422"},
	} {
		if status := c.ask(t, "/in", p.body, p.coding); !strings.Contains(p.want, strconv.Itoa(status)) {
			t.Errorf("%s: answered %d, want %s", name, status, p.want)
		}
	}
}

// save writes a file of the workspace.
func (c *crash) save(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// ask posts once and returns the status.
func (c *crash) ask(t *testing.T, path, body, coding string) int {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.http+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	if coding != "" {
		req.Header.Set("Content-Encoding", coding)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // only the status counts
	return resp.StatusCode
}

// client speaks to the process as an operator does.
func (c *crash) client(t *testing.T) *admin.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(c.dir, ".crossdock", "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	return &admin.Client{Base: "http://" + c.admin, Token: strings.TrimSpace(string(token))}
}

// peakMemory is the largest resident size of a process so far, in bytes.
func peakMemory(t *testing.T, cmd *exec.Cmd) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Skip("this system does not tell the memory of a process")
	}
	_, rest, _ := strings.Cut(string(raw), "VmHWM:")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
