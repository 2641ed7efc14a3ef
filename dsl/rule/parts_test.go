package rule

import (
	"strings"
	"testing"
)

func TestWhy(t *testing.T) {
	env := Env{Data: decode(t, `{"status":"NEW","attempt":2,"and":1,"items":[{"a":1}]}`)}
	for _, c := range []struct{ src, want string }{
		{`data.status == "RELEASED" and (data.attempt ?? 1) < 3`, `data.status == "RELEASED"=no | (data.attempt ?? 1) < 3=yes`},
		{`data.status == "a and b" && data.and == 1 and data.land == nil`, `data.status == "a and b"=no | data.and == 1=yes | data.land == nil=yes`},
		{`data.attempt == 1 and true or any(data.items, .a == 1 or .a == 2)`, `data.attempt == 1 and true=no | any(data.items, .a == 1 or .a == 2)=yes`},
		{`(data.attempt == 1 or data.attempt == 2)`, `(data.attempt == 1 or data.attempt == 2)=yes`},
		{`data.status == "NEW"`, `data.status == "NEW"=yes`},
		{`not (data.attempt == 1 and true)`, `not (data.attempt == 1 and true)=yes`},
		{`data.attempt == 2 ? data.gone > 1 and true : false`, `data.attempt == 2 ? data.gone > 1 and true : false=data.gone is missing`},
		{`data.gone > 1 or data.status == "NEW"`, `data.gone > 1=data.gone is missing | data.status == "NEW"=yes`},
		{`let a = data.attempt; a > 1 and a < 3`, `let a = data.attempt; a > 1 and a < 3=yes`},
	} {
		var got []string
		for _, p := range compile(t, c.src).Why(env) {
			answer := map[bool]string{true: "yes", false: "no"}[p.Answer]
			if p.Err != nil {
				answer = strings.Split(p.Err.Error(), ",")[0]
			}
			got = append(got, p.Source+"="+answer)
		}
		if joined := strings.Join(got, " | "); !strings.HasPrefix(joined, c.want) {
			t.Errorf("%s\n got  %s\n want %s", c.src, joined, c.want)
		}
	}
	parts := compile(t, `data.status == "RELEASED" and data.attempt < 3`).Why(env)
	if len(parts[0].Reads) != 1 || parts[0].Reads[0].Path != "data.status" || parts[0].Reads[0].Value != "NEW" {
		t.Errorf("%+v", parts)
	}
}
