package spec

import "crossdock/dsl/ast"

// Alert is one receiver of alerts: an operation that is told, and of what.
type Alert struct {
	Node    *ast.Node
	Send    Text        `yaml:"send" doc:"Operation that is told: connection.operation." validate:"required" ref:"operation"`
	Map     Text        `yaml:"map" doc:"Mapping that makes what is sent of the alert." ref:"mapping"`
	With    Fields[Row] `yaml:"with" doc:"Values for placeholders, and fields of what is sent; .summary is the alert in one text."`
	Policy  PolicyRef   `yaml:"policy" doc:"Policy of the delivery; its dead letters always go to the box alerts."`
	On      []Text      `yaml:"on" doc:"What it hears of: dead_letter, lag, breaker, drift, reload, source. Without it: dead letters of the boxes whose policies name it, or everything where none does."`
	Letters int         `yaml:"dead_letters" doc:"How many new dead letters in one box are an alert; 1 unless said otherwise." validate:"omitempty,min=1"`
	Within  Duration    `yaml:"within" doc:"The time in which so many dead letters come; 5m unless said otherwise."`
	Lag     Duration    `yaml:"lag" doc:"How old the oldest waiting message of a lane may be; 15m unless said otherwise."`
	Wait    Duration    `yaml:"wait" doc:"Shortest time between two messages: what comes meanwhile is told in one. 30s unless said otherwise."`
	Repeat  Duration    `yaml:"repeat" doc:"When what goes on is told again; 4h unless said otherwise."`
}
