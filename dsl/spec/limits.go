package spec

import (
	"regexp"
	"strconv"
	"time"

	"crossdock/dsl/ast"
)

// Rate is so many in a second, minute or hour, such as 20/s.
type Rate struct {
	N    int
	Per  time.Duration
	Node *ast.Node
}

var rateText = regexp.MustCompile(`^([1-9][0-9]{0,8})/(s|m|h)$`)

// DecodeNode implements Custom.
func (r *Rate) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	m := rateText.FindStringSubmatch(text)
	if m == nil {
		f := d.shape(n, "a rate such as 20/s, 300/m or 5000/h")
		if said := rate(text, map[string]string{"s": "s", "m": "m", "h": "h"}); said != "" {
			f.Hint = "write `" + said + "`"
		} else if bare.MatchString(text) {
			f.Hint = "say in what time: " + text + "/s are so many in a second, " + text + "/m in a minute, " + text + "/h in an hour"
		} else if rate(text, map[string]string{"d": "day", "mo": "month"}) != "" {
			f.Hint = "days and months are counted by `quota`: write quota: " + rate(text, map[string]string{"d": "day", "mo": "month"})
		}
		return // as if nothing were written
	}
	r.N, _ = strconv.Atoi(m[1])
	r.Per = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[m[2]]
	r.Node = n
}

// Quota is so many in an hour, day or month of the calendar, such as 100000/day.
type Quota struct {
	N      int
	Period string // hour, day or month
	Node   *ast.Node
}

var quotaText = regexp.MustCompile(`^([1-9][0-9]{0,11})/(hour|day|month)$`)

// DecodeNode implements Custom.
func (q *Quota) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	m := quotaText.FindStringSubmatch(text)
	if m == nil {
		f := d.shape(n, "a quota such as 5000/hour, 100000/day or 2000000/month")
		if said := rate(text, map[string]string{"h": "hour", "d": "day", "mo": "month"}); said != "" {
			f.Hint = "write `" + said + "`"
		} else if bare.MatchString(text) {
			f.Hint = "say in what time: " + text + "/hour, " + text + "/day or " + text + "/month"
		} else if rate(text, map[string]string{"s": "s", "m": "m"}) != "" {
			f.Hint = "seconds and minutes are counted by `rate`: write rate: " + rate(text, map[string]string{"s": "s", "m": "m"})
		}
		return // as if nothing were written
	}
	q.N, _ = strconv.Atoi(m[1])
	q.Period, q.Node = m[2], n
}

// Percent is a share from 0% to 100%.
type Percent struct {
	N    int
	Node *ast.Node
}

var percentText = regexp.MustCompile(`^(100|[0-9]{1,2})%$`)

// DecodeNode implements Custom.
func (p *Percent) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	m := percentText.FindStringSubmatch(text)
	if m == nil {
		if f := d.shape(n, "a share such as 20%"); percent(text) != "" {
			f.Hint = "write `" + percent(text) + "`"
		}
		return // as if nothing were written
	}
	p.N, _ = strconv.Atoi(m[1])
	p.Node = n
}

// Failures is so many failures within a time, such as 5 in 30s.
type Failures struct {
	N      int
	Within time.Duration
	Node   *ast.Node
}

var failuresText = regexp.MustCompile(`^([1-9][0-9]{0,5}) in ([0-9a-z.]+)$`)

// DecodeNode implements Custom.
func (f *Failures) DecodeNode(n *ast.Node, d *Decoder) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	m := failuresText.FindStringSubmatch(text)
	within := time.Duration(0)
	if m != nil {
		within, _ = ParseDuration(m[2])
	}
	if within <= 0 {
		f := d.shape(n, "a number of failures within a time, such as 5 in 30s")
		if said := failures(text); said != "" {
			f.Hint = "write `" + said + "`"
		} else if bare.MatchString(text) {
			f.Hint = "say within what time: `" + text + " in 30s`"
		}
		return // as if nothing were written
	}
	f.N, _ = strconv.Atoi(m[1])
	f.Within, f.Node = within, n
}

// Breaker says when to stop calling a failing system.
type Breaker struct {
	Node       *ast.Node `yaml:"-"`
	OpenAfter  Failures  `yaml:"open_after" doc:"Failures of one operation within a time after which it is called no more, such as 5 in 30s." validate:"required"`
	ProbeAfter Duration  `yaml:"probe_after" doc:"Pause before one message tries it again; 1m unless said otherwise."`
}

// Window is a time in which the other system is closed.
type Window struct {
	Node   *ast.Node `yaml:"-"`
	Name   Text      `yaml:"name" doc:"Name of the window, for people." validate:"required"`
	Cron   Text      `yaml:"cron" doc:"When it begins: minute hour day month weekday." validate:"required"`
	Zone   Text      `yaml:"zone" doc:"IANA zone of the cron times." ref:"zone"`
	Lasts  Duration  `yaml:"lasts" doc:"How long it lasts." validate:"required"`
	During During    `yaml:"during" doc:"What happens in it, by priority."`
	After  After     `yaml:"after" doc:"How what was held goes on when it ends."`
}

// During says by priority what happens in a window.
type During struct {
	Critical  Text `yaml:"critical" doc:"try calls it all the same, hold keeps the message waiting." validate:"omitempty,oneof=try hold"`
	High      Text `yaml:"high" doc:"try or hold." validate:"omitempty,oneof=try hold"`
	Normal    Text `yaml:"normal" doc:"try or hold." validate:"omitempty,oneof=try hold"`
	Low       Text `yaml:"low" doc:"try or hold." validate:"omitempty,oneof=try hold"`
	Otherwise Text `yaml:"otherwise" doc:"Priorities that are not named; hold unless said otherwise." validate:"omitempty,oneof=try hold"`
}

// After says how held messages go on when a window has ended.
type After struct {
	Replay Text `yaml:"replay" doc:"priority_then_age: the most urgent first, and the oldest of them." validate:"omitempty,oneof=priority_then_age"`
	Rate   Rate `yaml:"rate" doc:"How fast what was held goes out, such as 10/s; as fast as the limits allow unless said otherwise."`
}
