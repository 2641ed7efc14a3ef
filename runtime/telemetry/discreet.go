package telemetry

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// discreet is an exporter whose errors hold nothing that the collector must be
// told and nobody else: a careless collector sends back the headers it got.
type discreet struct {
	sdk.SpanExporter
	hidden *strings.Replacer
}

// answered is what the exporter tells of the body of an answer.
var answered = regexp.MustCompile(`(?s) \(body: .*`)

// newDiscreet takes the values of headers for collectors from the environment.
func newDiscreet(e sdk.SpanExporter, env func(string) string) discreet {
	var pairs []string
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"} {
		for header := range strings.SplitSeq(env(name), ",") {
			_, value, _ := strings.Cut(header, "=")
			value = strings.TrimSpace(value)
			if plain, err := url.PathUnescape(value); err == nil && plain != value {
				pairs = append(pairs, hiding(plain)...)
			}
			pairs = append(pairs, hiding(value)...)
		}
	}
	return discreet{e, strings.NewReplacer(pairs...)}
}

// hiding pairs a value, and what stands behind the name of its scheme, with
// what is written instead.
func hiding(value string) (pairs []string) {
	for _, text := range []string{value, value[strings.LastIndexByte(value, ' ')+1:]} {
		if len(text) > 3 {
			pairs = append(pairs, text, "[secret]")
		}
	}
	return pairs
}

// ExportSpans implements sdk.SpanExporter.
func (d discreet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	return d.clean(d.SpanExporter.ExportSpans(ctx, spans))
}

// Shutdown implements sdk.SpanExporter.
func (d discreet) Shutdown(ctx context.Context) error { return d.clean(d.SpanExporter.Shutdown(ctx)) }

func (d discreet) clean(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(d.hidden.Replace(answered.ReplaceAllString(err.Error(), "")))
}
