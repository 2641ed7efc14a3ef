package sandbox

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

// answering gives the program the one thing that it can ask for: a row of a
// crosswalk that its cell may read.
func answering(ctx context.Context, r wazero.Runtime) error {
	_, err := r.NewHostModuleBuilder("crossdock").
		NewFunctionBuilder().WithFunc(func(ctx context.Context, module api.Module, at, size uint32) uint32 {
		m, ok := ctx.Value(byMachine{}).(*machine)
		if !ok {
			return 0
		}
		question, ok := module.Memory().Read(at, size)
		if !ok {
			return 0
		}
		value, err := m.find(question)
		m.answer = wire.AppendResult(nil, []any{value}, err)
		return uint32(len(m.answer))
	}).Export("lookup").
		NewFunctionBuilder().WithFunc(func(ctx context.Context, module api.Module, to uint32) {
		if m, ok := ctx.Value(byMachine{}).(*machine); ok {
			module.Memory().Write(to, m.answer)
			m.answer = nil
		}
	}).Export("take").Instantiate(ctx)
	return err
}

// find answers a question of the cell that runs.
func (m *machine) find(question []byte) (any, error) {
	q, err := wire.ReadQuestion(question)
	if err != nil {
		return nil, err
	}
	if m.lookup != nil {
		if t, ok := m.lookup(q.Table); ok {
			return t.Find(q.Key, q.Column)
		}
	}
	return nil, &jq.RunError{Text: fmt.Sprintf("there is no lookup %q", q.Table)}
}
