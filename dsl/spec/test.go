package spec

import "crossdock/dsl/ast"

// Test holds cases for a mapping or a pipeline: NAME.test.yaml.
type Test struct {
	Of    Text   `yaml:"test" doc:"mapping NAME or pipeline NAME." validate:"required" ref:"test"`
	Now   Text   `yaml:"now" doc:"Time at which all cases run, RFC 3339."`
	Cases []Case `yaml:"cases" doc:"The cases." validate:"required"`
}

// Case is one example with what must come out.
type Case struct {
	Node        *ast.Node     `yaml:"-"`
	Name        Text          `yaml:"name" doc:"What the case shows." validate:"required"`
	Given       *ast.Node     `yaml:"given" doc:"A file, a payload, a text as a block, or a list of them." validate:"required" takes:"given"`
	Change      Fields[Value] `yaml:"change" doc:"Paths of the given payload with another value."`
	Meta        Value         `yaml:"meta" doc:"Values of $meta."`
	Now         Text          `yaml:"now" doc:"Time at which the case runs, RFC 3339."`
	Stubs       Fields[Stubs] `yaml:"stubs" doc:"Answers of operations, by connection.operation." refers:"operation"`
	Expect      *ast.Node     `yaml:"expect" doc:"Mapping: target paths with values. Pipeline: routes, attempts, sent, emitted, absent, duplicates, outcome, rejected." takes:"expect"`
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

// Outcomes are the words that `outcome` takes.
var Outcomes = []string{"delivered", "filtered", "dead", "rejected", "held"}

// Expectation are the keys of `expect` in tests of pipelines. They are read by
// dsl/compile and runtime/testrun.
type Expectation struct {
	Routes     []Text        `yaml:"routes" doc:"Names of the rules that matched, otherwise included, in order."`
	Attempts   Fields[Value] `yaml:"attempts" doc:"How often each operation was called, by connection.operation." refers:"operation"`
	Sent       Fields[Value] `yaml:"sent" doc:"What each operation was sent, by connection.operation; fields that are not listed may be there." refers:"operation"`
	Emitted    Fields[Value] `yaml:"emitted" doc:"What each event held, by the name of its schema; fields that are not listed may be there." refers:"emitted"`
	Absent     Fields[Value] `yaml:"absent" doc:"Fields that must not be in what each operation was sent, or each event held." refers:"operation"`
	Duplicates int           `yaml:"duplicates" doc:"How many inputs were recognised as repeated."`
	Outcome    Text          `yaml:"outcome" doc:"delivered, filtered, dead, rejected or held." validate:"omitempty,oneof=delivered filtered dead rejected held"`
	Rejected   Value         `yaml:"rejected" doc:"Status with which each input was refused that was; a list names them one by one."`
}
