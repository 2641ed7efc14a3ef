package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say where spans go and how many. What they leave open is read from
// the standard variables OTEL_*.
type Options struct {
	Endpoint string  // OTLP over HTTP, such as http://127.0.0.1:4318; "" = as OTEL_* say
	Ratio    float64 // share of traces that are kept, unless who calls decides; 0 = as OTEL_* say, else all
	Version  string  // of crossdock
	Log      *slog.Logger
	Env      func(name string) string // the environment
	Exporter sdk.SpanExporter         // instead of OTLP, for tests; gets spans as they end
}

// New returns a tracer, or nil where nothing asks for traces.
func New(ctx context.Context, o Options) (*Tracer, error) {
	wanted, err := o.wanted()
	if err != nil || !wanted {
		return nil, err
	}
	sampler, err := o.sampler()
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "crossdock"), attribute.String("service.version", o.Version)),
		resource.WithHost(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describe this process for traces: %w", err)
	}
	var out sdk.SpanProcessor
	if o.Exporter != nil {
		out = sdk.NewSimpleSpanProcessor(o.Exporter)
	} else {
		exporter, err := o.otlp(ctx)
		if err != nil {
			return nil, err
		}
		out = sdk.NewBatchSpanProcessor(newDiscreet(exporter, o.Env)) // never blocks: spans that do not fit are dropped
	}
	provider := sdk.NewTracerProvider(sdk.WithSampler(sampler), sdk.WithResource(res), sdk.WithSpanProcessor(keeper{out}))
	if o.Log != nil {
		otel.SetErrorHandler(&complaints{log: o.Log})
	}
	return &Tracer{provider: provider, tracer: provider.Tracer("crossdock")}, nil
}

// wanted reports whether anything asks for traces.
func (o Options) wanted() (bool, error) {
	if strings.EqualFold(o.Env("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	if o.Exporter != nil || o.Endpoint != "" {
		return true, nil
	}
	switch name := o.Env("OTEL_TRACES_EXPORTER"); name {
	case "none":
		return false, nil
	case "", "otlp":
		if name == "" && o.Env("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && o.Env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is `%s`; use otlp or none", name)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := o.Env(name); p != "" && !strings.HasPrefix(p, "http/") {
			return false, fmt.Errorf("%s is `%s`; traces are sent with http/protobuf only, most collectors take it on port 4318", name, p)
		}
	}
	return true, nil
}

// otlp returns the exporter; the variables OTEL_EXPORTER_OTLP_* apply.
func (o Options) otlp(ctx context.Context) (sdk.SpanExporter, error) {
	var opts []otlptracehttp.Option
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("the address for traces is not usable; give one such as http://127.0.0.1:4318")
		}
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/traces"
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(u.String()))
	}
	exporter, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	return exporter, nil
}

// sampler decides which traces are kept.
func (o Options) sampler() (sdk.Sampler, error) {
	name, ratio := o.Env("OTEL_TRACES_SAMPLER"), o.Ratio
	if ratio < 0 || ratio > 1 {
		return nil, fmt.Errorf("a share of traces is a number from 0 to 1, not %g", ratio)
	}
	if ratio > 0 {
		name = "parentbased_traceidratio"
	} else if arg := o.Env("OTEL_TRACES_SAMPLER_ARG"); arg != "" {
		var err error
		if ratio, err = strconv.ParseFloat(arg, 64); err != nil || ratio < 0 || ratio > 1 {
			return nil, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is `%s`; give a share from 0 to 1", arg)
		}
	} else {
		ratio = 1
	}
	base, parent := strings.CutPrefix(name, "parentbased_")
	var s sdk.Sampler
	switch base {
	case "", "always_on":
		s = sdk.AlwaysSample()
	case "always_off":
		s = sdk.NeverSample()
	case "traceidratio":
		s = sdk.TraceIDRatioBased(ratio)
	default:
		return nil, fmt.Errorf("OTEL_TRACES_SAMPLER is `%s`; use always_on, always_off, traceidratio, or one of them with parentbased_ before it", name)
	}
	if parent || name == "" {
		s = sdk.ParentBased(s)
	}
	return watchful{s}, nil
}

// watchful records what its sampler drops, so that it can be kept if it fails.
type watchful struct{ sdk.Sampler }

// ShouldSample implements sdk.Sampler.
func (w watchful) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	r := w.Sampler.ShouldSample(p)
	if r.Decision == sdk.Drop {
		r.Decision = sdk.RecordOnly
	}
	return r
}

// keeper hands on the spans that are sampled or failed.
type keeper struct{ sdk.SpanProcessor }

// OnEnd implements sdk.SpanProcessor.
func (k keeper) OnEnd(s sdk.ReadOnlySpan) {
	switch {
	case s.SpanContext().IsSampled():
		k.SpanProcessor.OnEnd(s)
	case s.Status().Code == codes.Error:
		k.SpanProcessor.OnEnd(kept{s})
	}
}

// kept is a span that is exported although its trace is not sampled.
type kept struct{ sdk.ReadOnlySpan }

// SpanContext implements sdk.ReadOnlySpan.
func (k kept) SpanContext() trace.SpanContext {
	c := k.ReadOnlySpan.SpanContext()
	return c.WithTraceFlags(c.TraceFlags().WithSampled(true))
}

// complaints logs the troubles of the exporter, once a minute at most: a
// collector that is away must not fill the log.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.last) >= time.Minute {
		c.last = now
		c.log.Warn("traces cannot be sent; messages are not affected", "error", err)
	}
}
