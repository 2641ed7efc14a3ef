package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"crossdock/connectors"
)

// tokens keeps the access token of a connection. One caller fetches, the
// others wait for what it brings.
type tokens struct {
	conf *OAuth2
	url  string
	sink *sink

	turn  chan struct{} // holds one item: the right to look at and change token
	token string
	until time.Time
}

func newTokens(conf *OAuth2, settings *Settings, s *sink) (*tokens, error) {
	t := &tokens{conf: conf, url: conf.TokenURL.Value, sink: s, turn: make(chan struct{}, 1)}
	if t.url == "" {
		t.url = s.base.scheme + "://" + s.base.host + s.base.path + conf.TokenPath.Value
	}
	if _, err := parseToken(t.url); err != nil {
		return nil, err
	}
	t.turn <- struct{}{}
	return t, nil
}

func parseToken(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("auth.oauth2: the token endpoint is not an address such as https://id.example.com/token")
	}
	return u, nil
}

// get returns a valid access token. Its errors are NotSent: the request itself
// has not left yet.
func (t *tokens) get(ctx context.Context) (string, error) {
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", connectors.NotSent(errors.New("no access token in time; nothing was sent"))
	}
	if t.token != "" && time.Now().Before(t.until) {
		return t.token, nil
	}
	if err := t.fetch(ctx); err != nil {
		return "", err
	}
	return t.token, nil
}

// forget drops the access token if it is still the one of this header value.
func (t *tokens) forget(header string) {
	<-t.turn
	if header == "Bearer "+t.token {
		t.token = ""
	}
	t.turn <- struct{}{}
}

func (t *tokens) fetch(ctx context.Context) error {
	conf, err := t.request()
	if err != nil {
		return err
	}
	client := &nethttp.Client{
		Transport:     bounded{t.sink.transport, t.sink.agent},
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}
	token, err := conf.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err != nil {
		return connectors.NotSent(t.explain(ctx, err))
	}
	if !validHeaderValue(token.AccessToken) {
		return connectors.NotSent(errors.New("the access token that was sent has control characters"))
	}
	t.token = token.AccessToken
	// Without an expiry a token is used for a minute at a time: a refusal
	// renews it anyway.
	t.until = time.Now().Add(time.Minute)
	if !token.Expiry.IsZero() {
		lifetime := time.Until(token.Expiry)
		t.until = token.Expiry.Add(-min(30*time.Second, lifetime/4))
	}
	return nil
}

func (t *tokens) request() (*clientcredentials.Config, error) {
	id, err := t.sink.secrets.text(t.conf.ClientID)
	if err != nil {
		return nil, err
	}
	secret, err := t.sink.secrets.value(t.conf.ClientSecret)
	if err != nil {
		return nil, err
	}
	params := url.Values{}
	if t.conf.Audience.Set() {
		params.Set("audience", t.conf.Audience.Value)
	}
	for _, p := range t.conf.Params {
		v, err := t.sink.secrets.text(p.Value)
		if err != nil {
			return nil, err
		}
		params.Set(p.Key.Text, v.Reveal())
	}
	style := oauth2.AuthStyleInHeader
	if t.conf.Send.Value == "body" {
		style = oauth2.AuthStyleInParams
	}
	return &clientcredentials.Config{
		ClientID: id.Reveal(), ClientSecret: secret.Reveal(), TokenURL: t.url, Scopes: t.conf.Scopes,
		EndpointParams: params, AuthStyle: style,
	}, nil
}

// explain tells what went wrong without the answer's text, which may echo
// credentials.
func (t *tokens) explain(ctx context.Context, err error) error {
	u, _ := parseToken(t.url)
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) && answered.Response != nil {
		text := fmt.Sprintf("%s, asked for an access token, answered %d", u.Host, answered.Response.StatusCode)
		if known := oauthErrors[answered.ErrorCode]; known != "" {
			text += ": " + known
		}
		return &failure{text, nil}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
		var refused *refusal
		if errors.As(err, &refused) {
			return &failure{fmt.Sprintf("cannot fetch an access token from %s: %s", u.Host, refused), refused}
		}
		return &failure{"an access token could not be fetched: " + describe(ctx, err, false, u.Host), err}
	}
	return &failure{u.Host + ", asked for an access token, did not send one", nil}
}

var oauthErrors = map[string]string{
	"invalid_client":         "invalid_client (client_id or client_secret is wrong)",
	"invalid_scope":          "invalid_scope (it does not know the scopes)",
	"invalid_grant":          "invalid_grant",
	"invalid_request":        "invalid_request",
	"unauthorized_client":    "unauthorized_client (client credentials are not allowed for this client)",
	"unsupported_grant_type": "unsupported_grant_type (it knows no client credentials)",
}

// bounded caps the answers of the token endpoint.
type bounded struct {
	next  nethttp.RoundTripper
	agent string
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	r = r.Clone(r.Context())
	r.GetBody = nil
	if b.agent != "" {
		r.Header.Set("User-Agent", b.agent)
	}
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, 256<<10), resp.Body}
	return resp, nil
}
