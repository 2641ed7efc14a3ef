package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
)

func (a *app) newConnectionCommand() *cobra.Command {
	var p place
	var kind string
	cmd := &cobra.Command{
		Use: "connection NAME", Args: cobra.ExactArgs(1),
		Short:   "Write a connection with one operation and a stub",
		Example: "  crossdock new connection tms\n  crossdock new connection archive --type file",
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := connectionTexts[kind]
			if !ok {
				return fmt.Errorf("there is no type `%s` of connections: use %s", kind, strings.Join(sorted(connectionTexts), ", "))
			}
			if err := checkName("connection", args[0]); err != nil {
				return err
			}
			_, err := a.write(p, "connection", args[0], strings.ReplaceAll(text, "NAME", args[0]))
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&kind, "type", "http", "http, file or log")
	return cmd
}

var connectionTexts = map[string]string{
	"http": `connection: NAME
type: http
base_url: https://NAME.example.com         # or ${var.NAME_url}, set in env/*.environment.yaml
# auth: {oauth2: {token_path: /token, client_id: "${secret.NAME_id}", client_secret: "${secret.NAME_secret}"}}
limits: {concurrency: 8, timeout: 10s}
operations:
  create:
    post: /items
    repeat: keyed                          # it knows Idempotency-Key; else check or never
    stub: {status: 201, body: {id: "1"}}   # what tests, mock and demo answer
`,
	"file": `connection: NAME
type: file
dir: ./NAME
operations:
  save: {write: "{name}.json", repeat: safe}
`,
	"log": `connection: NAME
description: Writes what it is told to the log. Replace it by a system of yours.
type: log
operations:
  note: {repeat: safe}
`,
}

func (a *app) newPipelineCommand() *cobra.Command {
	var p place
	var parts pipelineParts
	var sample string
	cmd := &cobra.Command{
		Use: "pipeline NAME", Args: cobra.ExactArgs(1),
		Short: "Write a pipeline: trigger, key, mapping and what is sent",
		Long: `Write a pipeline. What is not said is written as a comment with an example, so
the pipeline is complete once --key and --send (or --emit) are known.`,
		Example: `  crossdock new pipeline bolt-orders --accept bolt/order@1 --key .orderNo --map bolt-orders --emit canonical/order_released@1
  crossdock new pipeline scans --trigger files --connection carrier --split .rows --key .tracking --map scans --send tms.create`,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(triggerNames, parts.trigger) {
				return fmt.Errorf("there is no trigger `%s`: use %s", parts.trigger, strings.Join(triggerNames, ", "))
			}
			if err := checkName("pipeline", args[0]); err != nil {
				return err
			}
			ws, _, err := load(p.dir, "")
			if err != nil {
				return failf(exitLoad, "%s", err)
			}
			if sample != "" {
				if parts.sample, err = readSample(sample); err != nil {
					return err
				}
			}
			_, err = a.write(p, "pipeline", args[0], parts.text(args[0], ws))
			return err
		},
	}
	p.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&parts.trigger, "trigger", "http", "http, files, poll, schedule or event")
	f.StringVar(&parts.connection, "connection", "", "connection of files, or operation of poll, or name of the event")
	f.StringVar(&parts.accept, "accept", "", "schema a payload must satisfy")
	f.StringVar(&parts.split, "split", "", "jq that gives the items, each a message of its own")
	f.StringVar(&parts.key, "key", "", "jq of the idempotency key")
	f.StringVar(&parts.mapping, "map", "", "mapping of the payload")
	f.StringVar(&parts.send, "send", "", "operation it is sent to: connection.operation")
	f.StringVar(&parts.emit, "emit", "", "event it becomes: a schema")
	f.StringVar(&sample, "sample", "", "file that comes in, or answer of what is polled: its form is written into the trigger")
	return cmd
}

var triggerNames = []string{"http", "files", "poll", "schedule", "event"}

// pipelineParts are what is known of a new pipeline.
type pipelineParts struct {
	trigger, connection, accept, split, key, mapping, send, emit string

	sample *incoming // nil for none
}

func (p pipelineParts) text(name string, ws *dsl.Workspace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pipeline: %s\n%s", name, p.triggerText(name, ws))
	if p.accept != "" {
		fmt.Fprintf(&b, "accept: %s\n", p.accept)
	}
	if p.split != "" {
		fmt.Fprintf(&b, "split: %s\n", cellText(p.split))
	}
	if p.key != "" {
		fmt.Fprintf(&b, "key: %s   # the same again does nothing\n", cellText(p.key))
	} else {
		b.WriteString("# key: [.orderNo, .revision]               # business data that names the message: the same again does nothing\n")
	}
	b.WriteString("# order_by: .orderNo                       # messages with the same value keep their order\n")
	b.WriteString("# trace_by: {order: .orderNo}              # crossdock trace order SO-1\n")
	b.WriteString("steps:\n")
	switch {
	case p.send != "" && p.mapping != "":
		fmt.Fprintf(&b, "  - {send: %s, map: %s}\n", p.send, p.mapping)
	case p.send != "":
		fmt.Fprintf(&b, "  - {send: %s}\n", p.send)
	case p.mapping != "":
		fmt.Fprintf(&b, "  - map: %s\n", p.mapping)
	}
	if p.emit != "" {
		fmt.Fprintf(&b, "  - emit: %s\n", p.emit)
	}
	if p.send == "" && p.emit == "" {
		b.WriteString("  - ignore: true                           # replace by {send: connection.operation} or {emit: schema@1}\n")
	}
	return b.String()
}

// cellText writes a cell so that YAML leaves it alone.
func cellText(s string) string {
	if strings.ContainsAny(s, `"'#{}:&*!|>%@`+"`") || strings.HasPrefix(s, "[") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

func (p pipelineParts) triggerText(name string, ws *dsl.Workspace) string {
	or := func(word, otherwise string) string {
		if word == "" {
			return otherwise
		}
		return word
	}
	switch p.trigger {
	case "files":
		return p.filesText(or(p.connection, "carrier"))
	case "poll":
		return p.pollText(or(p.connection, "erp.list"), ws)
	case "schedule":
		return "trigger: {schedule: {cron: \"0 6 * * 1-5\", zone: UTC}}\n"
	case "event":
		return fmt.Sprintf("trigger: {event: %s}\n", or(p.connection, "order_released"))
	}
	verify := "none"
	if names := sorted(ws.Verify); len(names) > 0 {
		verify = names[0]
	}
	return fmt.Sprintf("trigger: {http: {path: /hooks/%s, verify: %s, reply: 202}}   # verify: who may call; see `verify` of crossdock.yaml\n", name, verify)
}

func (a *app) newTestCommand() *cobra.Command {
	var p place
	var given string
	cmd := &cobra.Command{
		Use: "test mapping|pipeline NAME", Args: cobra.ExactArgs(2),
		Short:   "Write a test of a mapping or pipeline with one case",
		Example: "  crossdock new test mapping bolt-orders --given samples/in.json",
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] != "mapping" && args[0] != "pipeline" {
				return fmt.Errorf("say mapping or pipeline, not `%s`", args[0])
			}
			if err := checkName(args[0], args[1]); err != nil {
				return err
			}
			expect := "{}   # target: value, as `crossdock try` shows them"
			if args[0] == "pipeline" {
				expect = "{outcome: delivered}"
			}
			if p.out == "" {
				beside := place{dir: p.dir}
				p.out = strings.TrimSuffix(beside.path(args[0], args[1]), "."+args[0]+".yaml") + ".test.yaml"
			}
			text := fmt.Sprintf("test: %s %s\ncases:\n  - name: a payload as it comes\n    given: %s\n    expect: %s\n", args[0], args[1], given, expect)
			_, err := a.write(p, "test", args[1], text)
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&given, "given", "samples/in.json", "payload, relative to the test")
	return cmd
}
