package runtime

import (
	"context"

	"crossdock/dsl"
	"crossdock/runtime/queue"
	"crossdock/runtime/recording"
)

// Record records messages of the store as material for tests: with other values
// in the place of personal data and of secrets.
func (e *Engine) Record(ctx context.Context, w recording.Wanted) (*recording.Answered, error) {
	live := e.Worker().Live()
	s := &recording.Source{Driver: e.driver, WS: live.WS, Kept: live.Recent, Secrets: e.hide.secrets()}
	return s.Record(ctx, w)
}

// RecordFrom does the same in a store that no engine has opened. dir is the
// folder of ws. unknown are the secrets of ws that cannot be looked up here, and
// are therefore not recognised.
func RecordFrom(ctx context.Context, d queue.Driver, ws *dsl.Workspace, dir string, w recording.Wanted) (out *recording.Answered, unknown []string, err error) {
	s := &recording.Source{Driver: d, WS: ws, Kept: recent(ws)}
	if ws.Environment.Spec != nil {
		secrets := NewSecrets(ws.Environment.Spec.Secrets, dir, false)
		for _, name := range ws.SecretNames() {
			value, err := secrets.Lookup(name)
			if err != nil {
				unknown = append(unknown, name)
				continue
			}
			s.Secrets = append(s.Secrets, value.Reveal())
		}
	}
	out, err = s.Record(ctx, w)
	return out, unknown, err
}
