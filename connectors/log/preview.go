package log

import (
	"fmt"

	"crossdock/connectors"
)

// Preview implements connectors.Previewer: the text of the line and its payload.
func (c Connector) Preview(conf connectors.Config) (func(connectors.Request) (connectors.Preview, error), error) {
	opened, err := c.Open(conf, connectors.Env{}) // without a log there is nothing to write to
	if err != nil {
		return nil, err
	}
	s, ok := opened.(*sink)
	if !ok {
		return nil, fmt.Errorf("connection %s cannot be shown", conf.Name)
	}
	return s.preview, nil
}

func (s *sink) preview(r connectors.Request) (connectors.Preview, error) {
	l, ok := s.lines[r.Operation]
	if !ok {
		return connectors.Preview{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", s.name, r.Operation))
	}
	text, _, err := l.text.Append(nil, r.With, func(dst []byte, text string, _ connectors.Place) ([]byte, error) { return append(dst, text...), nil })
	if err != nil {
		return connectors.Preview{}, connectors.Permanent(err)
	}
	return connectors.Preview{Method: l.level.String(), Path: string(text), Form: "json", Body: r.Body}, nil
}
