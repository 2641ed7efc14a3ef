package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	nethttp "net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"crossdock/connectors/http"
	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
)

// Act is one thing a script does; exactly one of Send, Fail and Story is set.
type Act struct {
	Note string `json:"note,omitempty"` // shown before it

	Send string `json:"send,omitempty"` // path of a webhook
	File string `json:"file,omitempty"` // with the payload, beside the script
	Sign string `json:"sign,omitempty"` // name of the verification it is signed for

	Fail    string   `json:"fail,omitempty"` // connection.operation
	Answers []string `json:"answers,omitempty"`

	Story []string `json:"story,omitempty"` // reference and value whose story is told at the end
}

// ReadScript reads a script of acts.
func ReadScript(fsys fs.FS, file string) ([]Act, error) {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("there is no script %s", file)
	}
	var acts []Act
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&acts); err != nil {
		return nil, fmt.Errorf("the script %s cannot be read: %w", file, err)
	}
	return acts, nil
}

// Stage is a set of partners that listen on this machine.
type Stage struct {
	Partners map[string]*Partner // by connection
	Vars     map[string]string   // variables that lead the connections to the partners
	Addrs    map[string]string

	houses    map[string]*house // by what they are shared by
	servers   []*nethttp.Server
	listeners []net.Listener
}

var oneVar = regexp.MustCompile(`^\$\{var\.([A-Za-z0-9_.-]+)\}`)

// Open makes a partner of every http connection of ws and listens: on the port
// its base_url names, or on any free one, which needs a base_url that begins
// with a variable. Connections with the same address, or variable, share a
// listener and are told apart by their paths.
func Open(ws *compile.Workspace, anyPort bool) (*Stage, error) {
	s := &Stage{Partners: map[string]*Partner{}, Vars: map[string]string{}, Addrs: map[string]string{}, houses: map[string]*house{}}
	for name, conn := range ws.Connections {
		settings, ok := conn.Settings.(*http.Settings)
		if !ok {
			continue
		}
		p, err := New(conn)
		if err != nil {
			return nil, s.fail(err)
		}
		m := oneVar.FindStringSubmatch(settings.BaseURL.Node.Text)
		if m == nil && anyPort {
			return nil, s.fail(fmt.Errorf("base_url of %s must begin with ${var.name}, so that it can be led to a partner on this machine", name))
		}
		addr, shared := "127.0.0.1:0", ""
		if m != nil {
			shared = m[1]
		}
		if !anyPort {
			if addr, err = onThisMachine(conn, "base_url", settings.BaseURL.Value); err != nil {
				return nil, s.fail(err)
			}
			shared = addr
		}
		at, err := s.house(shared, addr)
		if err != nil {
			return nil, s.fail(fmt.Errorf("the partner %s cannot listen: %w", name, err))
		}
		at.add(p)
		s.Partners[name] = p
		s.Addrs[name] = at.addr + p.base()
		if m != nil {
			s.Vars[m[1]] = at.addr
		}
		if !anyPort {
			if err := s.tokens(conn, settings); err != nil {
				return nil, s.fail(err)
			}
		}
	}
	return s, nil
}

// tokens plays the token endpoint of a connection that has it at an address of
// its own.
func (s *Stage) tokens(conn *compile.Connection, settings *http.Settings) error {
	if settings.Auth == nil || settings.Auth.OAuth2 == nil || !settings.Auth.OAuth2.TokenURL.Set() {
		return nil
	}
	address := settings.Auth.OAuth2.TokenURL.Value
	addr, err := onThisMachine(conn, "token_url", address)
	if err != nil {
		return err
	}
	at, err := s.house(addr, addr)
	if err != nil {
		return fmt.Errorf("the token endpoint of %s cannot listen: %w", conn.Name, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("token_url of %s is no address", conn.Name)
	}
	at.tokens = append(at.tokens, u.Path)
	return nil
}

// house is the one that is shared under a name, which listens at addr if it is
// new.
func (s *Stage) house(shared, addr string) (*house, error) {
	if h := s.houses[shared]; h != nil {
		return h, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	h := &house{addr: "http://" + l.Addr().String()}
	s.houses[shared] = h
	s.listeners = append(s.listeners, l)
	s.servers = append(s.servers, &nethttp.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second})
	return h, nil
}

func (s *Stage) fail(err error) error {
	for _, l := range s.listeners {
		l.Close()
	}
	return err
}

// Serve answers until ctx ends.
func (s *Stage) Serve(ctx context.Context) error {
	failed := make(chan error, len(s.servers))
	for i, server := range s.servers {
		go func() { failed <- server.Serve(s.listeners[i]) }() // joined below
	}
	var first error
	select {
	case <-ctx.Done():
	case first = <-failed:
		if len(s.servers) > 1 {
			failed <- first
		}
	}
	for _, server := range s.servers {
		server.Close()
	}
	for range s.servers {
		<-failed
	}
	return first
}

// Sender sends webhooks to a running crossdock.
type Sender struct {
	Base   string // http://127.0.0.1:8080
	WS     *compile.Workspace
	Secret spec.Finder
	FS     fs.FS
	Dir    string // of the script
}

// Send plays one webhook and returns the answer.
func (s *Sender) Send(ctx context.Context, a Act) (status int, answer string, err error) {
	body, err := fs.ReadFile(s.FS, path.Join(s.Dir, a.File))
	if err != nil {
		return 0, "", fmt.Errorf("there is no file %s", a.File)
	}
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, s.Base+a.Send, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	if a.Sign != "" {
		v := s.WS.Verify[a.Sign]
		if v == nil {
			return 0, "", fmt.Errorf("there is no verification %s", a.Sign)
		}
		if err := Sign(r, body, v, s.Secret, time.Now()); err != nil {
			return 0, "", err
		}
	}
	resp, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		return 0, "", fmt.Errorf("send to %s: %w", a.Send, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, strings.TrimSpace(string(raw)), err
}
