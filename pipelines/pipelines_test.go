package pipelines_test

import (
	"context"
	"testing"
	"testing/fstest"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/testrun"
)

func load(t *testing.T, workspace string) (*dsl.Workspace, diag.List) {
	t.Helper()
	fsys := fstest.MapFS{"crossdock.yaml": &fstest.MapFile{Data: []byte(workspace)}}
	ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New(), Std: pipelines.Library()})
	if err != nil {
		t.Fatal(err)
	}
	return ws, list
}

// TestShippedFlows takes every flow in and runs its cases.
func TestShippedFlows(t *testing.T) {
	ws, list := load(t, "crossdock: 1\nuse: [event-journal, unmapped-codes]\n")
	for _, d := range list {
		t.Errorf("%s %s %s", d.Span, d.Code, d.Message)
	}
	if len(ws.Pipelines) != 2 {
		t.Fatalf("%d pipelines", len(ws.Pipelines))
	}
	cases := 0
	runner := &testrun.Runner{WS: ws, FS: fstest.MapFS{}, Std: pipelines.Library()}
	for _, test := range ws.StdTests {
		for i := range test.Spec.Cases {
			cases++
			if r := runner.Case(context.Background(), test, &test.Spec.Cases[i]); !r.Passed() {
				t.Errorf("%s: %s: %v", r.Of, r.Case, r.Failures)
			}
		}
	}
	if cases < 2 {
		t.Errorf("only %d cases ran", cases)
	}
}

// TestFlowsStayOut shows that a workspace has only what it asked for.
func TestFlowsStayOut(t *testing.T) {
	ws, list := load(t, "crossdock: 1\n")
	if len(list) != 0 || len(ws.Pipelines) != 0 || len(ws.Connections) != 0 || len(ws.Tests) != 0 {
		t.Errorf("%v; %d pipelines, %d connections, %d tests", list, len(ws.Pipelines), len(ws.Connections), len(ws.Tests))
	}
	_, list = load(t, "crossdock: 1\nuse: [event-jornal]\n")
	if len(list) != 1 || list[0].Code != "XD1001" || list[0].Span.Start != (diag.Point{Line: 2, Col: 7}) || list[0].Short != "did you mean `event-journal`?" {
		t.Errorf("%+v", list)
	}
}
