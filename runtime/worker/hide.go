package worker

import (
	"crossdock/runtime/flow"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
)

// hide returns a text about this run, such as what a row or a partner says of
// it, without the personal data in its payload: what is written down of a
// failure is read by people who may not see that.
func (t *task) hide(text string) string {
	if text == "" || t.p == nil || t.p.Accept == nil {
		return text
	}
	return t.mask().Text(text)
}

func (t *task) mask() *mask.Mask {
	return mask.New(t.p.Accept.Schema.Shape(), t.run.Original, t.run.Body)
}

// hideCause hides personal data in a cause.
func (t *task) hideCause(c *flow.Cause) {
	if t.p == nil || t.p.Accept == nil {
		return
	}
	m := t.mask()
	c.Message, c.Hint = m.Text(c.Message), m.Text(c.Hint)
}

// hide returns a text about a message that was refused without the personal
// data in it.
func (in *Intake) hide(m *message.Message, text string) string {
	if in.P.Accept == nil {
		return text
	}
	body := m.Body
	if m.Raw != nil {
		var err error
		if body, err = in.Decode(m.Raw, &m.Meta); err != nil {
			return text // nobody could read it, so nothing of it is told
		}
	}
	return mask.New(in.P.Accept.Schema.Shape(), body).Text(text)
}
