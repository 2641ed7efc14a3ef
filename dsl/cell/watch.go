package cell

import (
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
)

// Watch is told what rows and rules do, so that tests can tell which of them they
// never reach. It is called by many goroutines at the same time. Nothing watches
// outside of tests.
type Watch interface {
	// Row tells that the row written at a place gave its value; defaulted that
	// the value was its default.
	Row(at diag.Span, defaulted bool)
	// Rule tells how a rule was answered.
	Rule(p *rule.Program, yes bool)
}
