package admin

import (
	"fmt"
	"net/http"
	"time"

	"crossdock/runtime/access"
)

// NewToken is the answer to a token that was made; Text is shown this once.
type NewToken struct {
	Text string `json:"token"`
	access.Token
}

func (a *API) tokenList(c *call) (any, error) { return a.tokens.List(c.Context()) }

func (a *API) tokenCreate(c *call) (any, error) {
	var g access.Grant
	if err := c.read(&g); err != nil {
		return nil, err
	}
	if g.Reveal && !c.who.Reveal {
		return nil, problemf(http.StatusForbidden, "who may not see personal data cannot give that right to others")
	}
	text, made, err := a.tokens.Create(c.Context(), g, c.who.Name, time.Now())
	if err != nil {
		return nil, err
	}
	c.after = fmt.Sprintf("%s as %s", made.ID, made.Role)
	if made.Reveal {
		c.after += " with reveal"
	}
	return NewToken{text, made}, nil
}

func (a *API) tokenRevoke(c *call) (any, error) {
	if err := c.nothing(); err != nil {
		return nil, err
	}
	gone, err := a.tokens.Revoke(c.Context(), c.PathValue("what"))
	c.before = gone.ID
	return gone, err
}
