package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/queue"
	"crossdock/runtime/recording"
	"crossdock/runtime/testrun"
)

// recordFlags are the flags of `test record`.
type recordFlags struct {
	remote
	store, env, out, pipeline string
	keep                      []string
	force                     bool
}

func (a *app) testRecordCommand() *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use: "record ID | record REF VALUE", Args: cobra.RangeArgs(1, 2),
		Short: "Make a test of a message that came",
		Long: `Make a test of a message that came: one that is done and still kept, one that
waits, a dead letter, or one that was refused at the door. It is named by its ID or
by a business number; REF is a name below trace_by in the definitions.

The payload is written into the folder tests with other values in the place of fields
that a schema marks as personal (pii), of secrets, and of fields that are called as
such. The same value always becomes the same one, so keys and references still agree,
and it keeps its form: digits stay digits, a date stays a date.

Beside it stands a test that gives it to its pipeline at the time it came, with what
other systems answered, and expects what the definitions of the workspace make of it
now: routes, attempts, all that is sent and emitted, and how it ends. It is run before
the command ends.

It asks a running crossdock: the one in --dir, or that of --admin. With --store it
reads a store that no crossdock has opened. Of messages that are done the last 100 of
each pipeline are kept for 7 days, unless ` + "`recent`" + ` of crossdock.yaml says otherwise.`,
		Example: `  crossdock test record 06H0H5XD73KB6YWQZZ24A9PGHM
  crossdock test record order SO-4711 --pipeline orders
  crossdock test record order SO-4711 --keep shipTo.country
  crossdock test record 06H0H5XD73KB6YWQZZ24A9PGHM --store embedded:.crossdock/store`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.testRecord(cmd.Context(), args, f) },
	}
	f.remote.flags(cmd)
	cmd.Flags().StringVar(&f.store, "store", "", "read this store, with nothing running: embedded:PATH or redis://...")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables the test is run with")
	cmd.Flags().StringVar(&f.out, "out", "tests", "folder for the files, below the workspace")
	cmd.Flags().StringVar(&f.pipeline, "pipeline", "", "only messages of this pipeline")
	cmd.Flags().StringArrayVar(&f.keep, "keep", nil, "field that stays as it is, although it is personal, such as shipTo.country or items[].name")
	cmd.Flags().BoolVar(&f.force, "force", false, "write over files that exist")
	return cmd
}

func (a *app) testRecord(ctx context.Context, args []string, f recordFlags) error {
	w := recording.Wanted{Pipeline: f.pipeline, Keep: f.keep}
	if len(args) == 2 {
		w.Ref = queue.Ref{Type: args[0], Value: args[1]}
	} else {
		w.ID = args[0]
	}
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, f.dir, "text")
		return failf(exitLoad, "the definitions in %s have errors, so a test of them cannot be written", f.dir)
	}
	got, err := a.recorded(ctx, ws, w, f)
	if err != nil {
		return err
	}
	for _, g := range got.Gone {
		fmt.Fprintf(a.Stderr, "message %s of %s: %s\n", g.Message, g.Pipeline, g.Why)
	}
	if len(got.Recordings) == 0 && len(got.Gone) == 0 {
		return failf(exitFindings, "the history knows no message %s; `crossdock trace` finds it by any business number", strings.Join(args, " "))
	}
	names := testNames(got.Recordings)
	for _, name := range names { // all of them before the first is written
		file := filepath.Join(f.dir, f.out, name+".test.yaml")
		if _, err := os.Lstat(file); err == nil && !f.force {
			return failf(exitFindings, "%s exists; nothing was changed. Use another name, --out FILE or --force", file)
		}
	}
	for i, r := range got.Recordings {
		if err := a.writeRecording(ctx, ws, r, names[i], f); err != nil {
			return err
		}
	}
	if len(got.Recordings) == 0 {
		return failf(exitFindings, "no test was written")
	}
	return nil
}

// recorded asks a running crossdock, or reads a store.
func (a *app) recorded(ctx context.Context, ws *dsl.Workspace, w recording.Wanted, f recordFlags) (*recording.Answered, error) {
	if f.store == "" {
		c, err := f.client()
		if err != nil {
			return nil, err
		}
		var out recording.Answered
		q := url.Values{"id": {w.ID}, "ref": {w.Ref.Type}, "value": {w.Ref.Value}, "pipeline": {w.Pipeline}, "keep": w.Keep}
		return &out, failed(c.Get(ctx, "/v1/recordings", q, &out))
	}
	if dir, ok := strings.CutPrefix(f.store, "embedded:"); ok {
		if _, err := os.Stat(strings.TrimPrefix(dir, "//")); err != nil {
			return nil, failf(exitLoad, "there is no store %s", f.store)
		}
	}
	d, err := runtime.OpenStore(ctx, runtime.Options{Dir: f.dir, Store: f.store})
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	out, unknown, err := runtime.RecordFrom(ctx, d, ws, f.dir, w)
	if err = errors.Join(err, d.Close()); err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	if len(unknown) > 0 {
		fmt.Fprintf(a.Stderr, "not known here, so not recognised in payloads: the secrets %s\n", strings.Join(unknown, ", "))
	}
	return out, nil
}

var noFileName = regexp.MustCompile(`[^a-z0-9]+`)

// testNames names a test after the pipeline and a business number of each
// message. Several messages with one number are counted.
func testNames(list []*recording.Recording) []string {
	plain := func(text string) string {
		return strings.Trim(noFileName.ReplaceAllString(strings.ToLower(text), "-"), "-")
	}
	names := make([]string, len(list))
	times := map[string]int{}
	for i, r := range list {
		names[i] = plain(r.Pipeline + "-" + r.Message)
		if len(r.Refs) > 0 {
			if ref := plain(r.Refs[0].Value); ref != "" && len(ref) <= 40 {
				names[i] = plain(r.Pipeline) + "-" + ref
			}
		}
		times[names[i]]++
		if n := times[names[i]]; n > 1 {
			names[i] += "-" + strconv.Itoa(n)
		}
	}
	return names
}

// writeRecording writes one test and runs it; one that fails is not left behind.
func (a *app) writeRecording(ctx context.Context, ws *dsl.Workspace, r *recording.Recording, name string, f recordFlags) error {
	c, err := r.Case(ctx, ws, name)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	beside := path.Join(filepath.ToSlash(f.out), name)
	test := filepath.Join(f.dir, filepath.FromSlash(beside)+".test.yaml")
	files := map[string][]byte{test: c.Text}
	if c.Payload != nil {
		ext := ".json"
		if _, isText := r.Payload.(string); isText {
			ext = ".txt"
		}
		files[filepath.Join(f.dir, filepath.FromSlash(beside)+ext)] = c.Payload
	}
	for _, file := range sorted(files) {
		if err := writeNew(file, files[file], f.force); err != nil {
			return err
		}
	}
	if why := proved(ctx, f, beside+".test.yaml"); why != "" {
		for file := range files {
			if err := os.Remove(file); err != nil {
				why += "; " + file + " was left behind"
			}
		}
		return failf(exitFindings, "message %s of %s cannot be made a test that passes: %s", r.Message, r.Pipeline, why)
	}
	fmt.Fprintf(a.Stdout, "%s\n  message %s of %s: %s; %s\n", test, r.Message, r.Pipeline, c.Outcome, masked(r))
	for _, note := range append(r.Notes, c.Notes...) {
		fmt.Fprintf(a.Stdout, "  note: %s\n", note)
	}
	return nil
}

func masked(r *recording.Recording) string {
	if r.Masked == 0 {
		return "nothing had to be masked"
	}
	return plural(r.Masked, "value", "values") + " masked"
}

// proved runs the test that was written; it returns why it fails.
func proved(ctx context.Context, f recordFlags, file string) string {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return err.Error()
	}
	for _, d := range list {
		if d.Span.File == file && d.Severity == diag.Error {
			return d.Message
		}
	}
	ran := 0
	why := ""
	runner := &testrun.Runner{WS: ws, FS: os.DirFS(f.dir), Std: std()}
	runner.All(ctx, func(t *compile.Test) bool { return t.File.Path == file }, func(r testrun.Result) {
		ran++
		if !r.Passed() && why == "" {
			why = strings.Join(r.Failures, "; ")
		}
	})
	if ran == 0 && why == "" {
		return "the test is not found in the workspace; is --out below it?"
	}
	return why
}
