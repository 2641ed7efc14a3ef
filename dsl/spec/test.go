package spec

import "crossdock/dsl/ast"

// Test holds cases for a mapping or a pipeline: NAME.test.yaml.
type Test struct {
	Of    Text   `yaml:"test" doc:"mapping NAME or pipeline NAME." validate:"required"`
	Now   Text   `yaml:"now" doc:"Time at which all cases run, RFC 3339."`
	Cases []Case `yaml:"cases" doc:"The cases." validate:"required"`
}

// Case is one example with what must come out.
type Case struct {
	Node        *ast.Node     `yaml:"-"`
	Name        Text          `yaml:"name" doc:"What the case shows." validate:"required"`
	Given       *ast.Node     `yaml:"given" doc:"A file, a payload, or a list of them." validate:"required"`
	Change      Fields[Value] `yaml:"change" doc:"Paths of the given payload with another value."`
	Meta        Value         `yaml:"meta" doc:"Values of $meta."`
	Now         Text          `yaml:"now" doc:"Time at which the case runs, RFC 3339."`
	Stubs       Fields[Stubs] `yaml:"stubs" doc:"Answers of operations, by connection.operation."`
	Expect      *ast.Node     `yaml:"expect" doc:"Mapping: target paths with values. Pipeline: routes, attempts, sent, emitted, duplicates, outcome."`
	Absent      []Text        `yaml:"absent" doc:"Target paths that must not be there."`
	ExpectError *ExpectError  `yaml:"expect_error" doc:"The error that must come."`
}

// ExpectError names an error that must come.
type ExpectError struct {
	Node  *ast.Node `yaml:"-"`
	Field Text      `yaml:"field" doc:"Target field that fails."`
	Code  Text      `yaml:"code" doc:"Its code: required, type, parse, zone, lookup, too_long, several, jq ..."`
	Text  Text      `yaml:"text" doc:"Words the message must hold."`
	Step  Text      `yaml:"step" doc:"Step that fails."`
}
