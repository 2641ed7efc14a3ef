package runtime

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

func text(s string) spec.Text { return spec.Text{Value: s, Node: &ast.Node{}} }

func TestSecretsInFiles(t *testing.T) {
	dir := t.TempDir()
	s := NewSecrets(spec.Secrets{Provider: text("file"), Dir: text(dir)}, "", false)
	put := func(name, value string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	put("good", "top-secret\n", 0o600)
	put("grouped", "top-secret", 0o640)
	put("open", "top-secret", 0o644)
	put("empty", "\n", 0o600)
	put("huge", strings.Repeat("x", 64<<10+1), 0o600)
	for name, want := range map[string]string{
		"good": "", "grouped": "", "open": "chmod 600", "empty": "is empty", "huge": "longer than", "none": "is not in the folder", "..": "not a file name",
		"../x": "not a file name", "": "not a file name", ".": "not a file name",
	} {
		got, err := s.Lookup(name)
		switch {
		case want == "" && (err != nil || got.Reveal() != "top-secret"):
			t.Errorf("%q: %q %v", name, got, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "top-secret")):
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	put("good", "rotated", 0o600)
	if got, err := s.Lookup("good"); err != nil || got.Reveal() != "rotated" {
		t.Errorf("after the rotation: %q %v", got, err)
	}
}

func TestSecretsByCommand(t *testing.T) {
	command := func(timeout time.Duration, words ...string) *Secrets {
		out := spec.Secrets{Provider: text("exec"), Timeout: spec.Duration{D: timeout, Node: &ast.Node{}}}
		for _, w := range words {
			out.Command = append(out.Command, text(w))
		}
		return NewSecrets(out, "", true)
	}
	dir := t.TempDir()
	for what, c := range map[string]struct {
		s     *Secrets
		name  string
		value string
		want  string
	}{
		"prints":     {command(5*time.Second, "echo", "v-{name}"), "tms", "v-tms", ""},
		"no shell":   {command(5*time.Second, "echo", "{name}"), "a; touch " + dir + "/x $(id)", "a; touch " + dir + "/x $(id)", ""},
		"fails":      {command(5*time.Second, "sh", "-c", "echo top-secret; echo top-secret >&2; exit 3"), "tms", "", "sh ended with 3"},
		"slow":       {command(50*time.Millisecond, "sleep", "60"), "tms", "", "not printed within 50ms"},
		"endless":    {command(5*time.Second, "yes"), "tms", "", "longer than"},
		"silent":     {command(5*time.Second, "true"), "tms", "", "is empty"},
		"not there":  {command(5*time.Second, "/none/such"), "tms", "", "cannot be run"},
		"no command": {command(5 * time.Second), "tms", "", "names no command"},
		"an option":  {command(5*time.Second, "echo", "{name}"), "-rf", "", "taken for an option"},
	} {
		got, err := c.s.Lookup(c.name)
		switch {
		case c.want == "" && (err != nil || got.Reveal() != c.value):
			t.Errorf("%s: %q %v", what, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "top-secret")):
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a shell was at work")
	}
	// Who writes definitions does not run programs unless the operator says so.
	s := NewSecrets(spec.Secrets{Provider: text("exec"), Command: []spec.Text{text("touch"), text(dir + "/y")}}, "", false)
	if _, err := s.Lookup("tms"); err == nil || !strings.Contains(err.Error(), "--allow-exec") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "y")); err == nil {
		t.Error("a program was run")
	}
}

// TestAnswersAreKeptWithoutSecrets: a secret that a partner sends back does not
// stay readable in what is kept, and nothing else is touched.
func TestAnswersAreKeptWithoutSecrets(t *testing.T) {
	var r redactor
	if body := map[string]any{"a": "b"}; fmt.Sprint(r.answer([]byte(`{"a":"b"}`), body)) != "map[a:b]" {
		t.Error("changed without any secret")
	}
	r.learn("s3cr3t/+&-value")
	r.learn("1234567") // too short to be looked for in business data
	for raw, want := range map[string]string{
		`{"echo":"Bearer s3cr3t/+&-value","n":1.10}`:           `{"echo":"Bearer [secret]","n":1.10}`,
		`{"a":[{"k s3cr3t/+&-value":"x"}],"ok":true}`:          `{"a":[{"k [secret]":"x"}],"ok":true}`,
		`{"url":"https://x/?k=s3cr3t%2F%2B%26-value"}`:         `{"url":"https://x/?k=[secret]"}`,
		`{"b64":"czNjcjN0LysmLXZhbHVl"}`:                       `{"b64":"[secret]"}`,
		`{"number":1234567,"text":"1234567","near":"s3cr3t/"}`: `{"near":"s3cr3t/","number":1234567,"text":"1234567"}`,
		`"s3cr3t/+&-value"`:                                    `"[secret]"`,
	} {
		var body any
		d := json.NewDecoder(strings.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&body); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		enc := json.NewEncoder(&got)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.answer([]byte(raw), body)); err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(got.String()) != want {
			t.Errorf("%s\nkept as %s\nwant    %s", raw, got.String(), want)
		}
	}
	r.learn("87654321")
	if got := r.answer([]byte(`{"n":87654321}`), map[string]any{"n": json.Number("87654321")}); fmt.Sprint(got) != "map[n:[secret]]" {
		t.Errorf("a number: %v", got)
	}
}

func BenchmarkAnswerWithoutSecrets(b *testing.B) {
	var r redactor
	for i := range 20 {
		r.learn(fmt.Sprintf("a-secret-of-some-length-%d", i))
	}
	raw := []byte(strings.Repeat(`{"id":"06H0H5XD73KB6YWQZZ24A9PGHM","status":"created"},`, 20))
	body := map[string]any{}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		r.answer(raw, body)
	}
}
