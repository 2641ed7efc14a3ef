package value

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTemporal(t *testing.T) {
	for _, c := range []struct {
		in   any
		typ  Base
		opt  Options
		want any
	}{
		// ISO 8601 without a pattern.
		{"2026-05-16", Date, Options{}, "2026-05-16"},
		{"2026-05-16T00:00:00", Date, Options{}, "2026-05-16"},
		{"2026-05-16T22:30:00Z", Date, Options{Zone: "Europe/Berlin"}, "2026-05-17"},
		{"2026-05-16T22:30:00Z", Date, Options{Zone: "UTC"}, "2026-05-16"},
		{"2024-02-29", Date, Options{}, "2024-02-29"},
		{"2026-05-16T14:30:00+02:00", DateTime, Options{}, "2026-05-16T14:30:00+02:00"},
		{"2026-05-16T14:30:00+0200", DateTime, Options{}, "2026-05-16T14:30:00+02:00"},
		{"2026-05-16 14:30+02", DateTime, Options{}, "2026-05-16T14:30:00+02:00"},
		{"2026-05-16T14:30:00.000Z", DateTime, Options{}, "2026-05-16T14:30:00.000Z"},
		{"2026-05-16t14:30:00.120z", DateTime, Options{}, "2026-05-16T14:30:00.120Z"},
		{"2026-05-16T14:30:00,5-03:30", DateTime, Options{}, "2026-05-16T14:30:00.5-03:30"},
		{"2026-05-16T14:30:00.123456789Z", DateTime, Options{}, "2026-05-16T14:30:00.123456789Z"},
		{"2026-05-16T14:30:00-00:00", DateTime, Options{}, "2026-05-16T14:30:00+00:00"},
		{" 2026-05-16T14:30:00Z ", DateTime, Options{}, "2026-05-16T14:30:00Z"},
		{"2026-05-16T14:30:00", DateTime, Options{Zone: "Europe/Berlin"}, "2026-05-16T14:30:00+02:00"},
		{"2026-05-16T14:30:00Z", DateTime, Options{Zone: "Europe/Berlin"}, "2026-05-16T14:30:00Z"},
		{"2026-05-16T14:30:00Z", DateTime, Options{Zone: "UTC -> America/Chicago"}, "2026-05-16T09:30:00-05:00"},
		{"2026-05-16T14:30:00", DateTime, Options{Zone: "Europe/Berlin -> UTC"}, "2026-05-16T12:30:00Z"},
		{"16:00", Time, Options{}, "16:00:00"},
		{"16:00:05.250", Time, Options{}, "16:00:05.250"},
		// Patterns.
		{"20260516", Date, Options{Parse: "yyyyMMdd"}, "2026-05-16"},
		{json.Number("20260516"), Date, Options{Parse: "yyyyMMdd"}, "2026-05-16"},
		{20260516, Date, Options{Parse: "yyyyMMdd"}, "2026-05-16"},
		{"16.05.2026 14:30", DateTime, Options{Parse: "dd.MM.yyyy HH:mm", Zone: "Europe/Berlin"}, "2026-05-16T14:30:00+02:00"},
		{"16.05.2026 14:30", Date, Options{Parse: "dd.MM.yyyy HH:mm"}, "2026-05-16"},
		{"202605161430", DateTime, Options{Parse: "yyyyMMddHHmm", Zone: "America/Chicago"}, "2026-05-16T14:30:00-05:00"},
		{"May 6, 2026", Date, Options{Parse: "MMM d, yyyy"}, "2026-05-06"},
		{"september 16, 2026", Date, Options{Parse: "MMMM d, yyyy"}, "2026-09-16"},
		{"Sat, 16 May 2026 14:30:00 +0200", DateTime, Options{Parse: "EEE, dd MMM yyyy HH:mm:ss Z"}, "2026-05-16T14:30:00+02:00"},
		{"05/16/2026 02:30 PM", DateTime, Options{Parse: "MM/dd/yyyy hh:mm a", Zone: "America/New_York"}, "2026-05-16T14:30:00-04:00"},
		{"5/6/2026 12:05 am", DateTime, Options{Parse: "M/d/yyyy h:mm a", Zone: "UTC"}, "2026-05-06T00:05:00Z"},
		{"2026-05-16T14:30:00", DateTime, Options{Parse: "yyyy-MM-dd'T'HH:mm:ss", Zone: "UTC"}, "2026-05-16T14:30:00Z"},
		{"16h30", Time, Options{Parse: "HH'h'mm"}, "16:30:00"},
		{"o'clock 16", Time, Options{Parse: "'o''clock' HH"}, "16:00:00"},
		{"260516", Date, Options{Parse: "yyMMdd"}, "2026-05-16"},
		{"681231", Date, Options{Parse: "yyMMdd"}, "2068-12-31"},
		{"690101", Date, Options{Parse: "yyMMdd"}, "1969-01-01"},
		{"2026136", Date, Options{Parse: "yyyyDDD"}, "2026-05-16"},
		{"2024366", Date, Options{Parse: "yyyyDDD"}, "2024-12-31"},
		{"20260516143000123", DateTime, Options{Parse: "yyyyMMddHHmmssSSS", Zone: "UTC"}, "2026-05-16T14:30:00.123Z"},
		{"2026-05-16 14:30 Asia/Kolkata", DateTime, Options{Parse: "yyyy-MM-dd HH:mm VV"}, "2026-05-16T14:30:00+05:30"},
		{"16.05.26", Date, Options{Parse: "yyyyMMdd | dd.MM.yyyy | dd.MM.yy"}, "2026-05-16"},
		{"2026-05-16T14:30Z", DateTime, Options{Parse: "yyyy-MM-dd'T'HH:mmX"}, "2026-05-16T14:30:00Z"},
		// Seconds and milliseconds since 1970.
		{json.Number("1480000000"), DateTime, Options{Parse: "epoch"}, "2016-11-24T15:06:40Z"},
		{"1480000000.25", DateTime, Options{Parse: "epoch"}, "2016-11-24T15:06:40.25Z"},
		{json.Number("1480000000000"), DateTime, Options{Parse: "epoch_ms"}, "2016-11-24T15:06:40Z"},
		{json.Number("1480000000120"), DateTime, Options{Parse: "epoch_ms"}, "2016-11-24T15:06:40.120Z"},
		{json.Number("-1500"), DateTime, Options{Parse: "epoch_ms"}, "1969-12-31T23:59:58.500Z"},
		{"/Date(1480000000000)/", DateTime, Options{Parse: "odata"}, "2016-11-24T15:06:40Z"},
		{"/Date(1480000000000+0060)/", DateTime, Options{Parse: "odata"}, "2016-11-24T16:06:40+01:00"},
		{"/Date(1480000000000)/", Date, Options{Parse: "odata", Zone: "UTC"}, "2016-11-24"},
		{json.Number("-62135596800"), DateTime, Options{Parse: "epoch"}, "0001-01-01T00:00:00Z"},
		// Formats.
		{"2026-05-06", Date, Options{Format: "dd.MM.yyyy"}, "06.05.2026"},
		{"2026-05-06", Date, Options{Format: "EEE, MMM d, yy"}, "Wed, May 6, 26"},
		{"2026-05-06", Date, Options{Format: "yyyyDDD"}, "2026126"},
		{"2026-05-16T22:30:00Z", DateTime, Options{Format: "yyyyMMddHHmm", Zone: "Europe/Berlin"}, "202605170030"},
		{"2026-05-16T22:30:00Z", DateTime, Options{Format: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"}, "2026-05-16T22:30:00.000Z"},
		{"2026-05-16T22:30:00-05:00", DateTime, Options{Format: "HH:mmxx"}, "22:30-0500"},
		{"2026-05-16T00:30:00Z", DateTime, Options{Format: "h:mm a", Zone: "UTC"}, "12:30 AM"},
		{"2016-11-24T15:06:40.120Z", DateTime, Options{Format: "epoch_ms"}, json.Number("1480000000120")},
		{"2016-11-24T16:06:40+01:00", DateTime, Options{Format: "epoch"}, json.Number("1480000000")},
		{"2016-11-24T15:06:40.5Z", DateTime, Options{Format: "epoch"}, json.Number("1480000000.5")},
		{"2016-11-24T15:06:40Z", DateTime, Options{Format: "odata"}, "/Date(1480000000000)/"},
		{"16:05", Time, Options{Format: "HHmm"}, "1605"},
		// Clock changes: of a time that happens twice the first is taken.
		{"2026-10-25T02:30:00", DateTime, Options{Zone: "Europe/Berlin"}, "2026-10-25T02:30:00+02:00"},
		{"2026-11-01T01:30:00", DateTime, Options{Zone: "America/New_York"}, "2026-11-01T01:30:00-04:00"},
		{"2026-03-29T03:00:00", DateTime, Options{Zone: "Europe/Berlin"}, "2026-03-29T03:00:00+02:00"},
		{"2026-03-29T01:59:59", DateTime, Options{Zone: "Europe/Berlin"}, "2026-03-29T01:59:59+01:00"},
		{nil, DateTime, Options{}, nil},
	} {
		got, err := Convert(c.in, Type{Base: c.typ}, c.opt)
		if err != nil || got != c.want {
			t.Errorf("%v as %s %+v = %v (%v), want %v", c.in, c.typ, c.opt, got, err, c.want)
		}
	}
}

func TestTemporalErrors(t *testing.T) {
	for _, c := range []struct {
		in   any
		typ  Base
		opt  Options
		code Code
		want string
	}{
		{"2026-05-16T14:30:00", DateTime, Options{}, CodeZone, "says no zone"},
		{"2026-05-16", DateTime, Options{}, CodeParse, "use `type: date`"},
		{"2026-05-16T22:30:00Z", Date, Options{}, CodeZone, "which day it is depends on the zone"},
		{json.Number("1480000000"), Date, Options{Parse: "epoch"}, CodeZone, "depends on the zone"},
		{"2026-02-29", Date, Options{}, CodeParse, "no such day"},
		{"2026-13-01", Date, Options{}, CodeParse, "no such month"},
		{"2026-00-10", Date, Options{}, CodeParse, "no such month"},
		{"0000-01-01", Date, Options{}, CodeParse, "no such year"},
		{"2026-05-16T24:00:00Z", DateTime, Options{}, CodeParse, "00:00 of the next day"},
		{"2026-05-16T23:59:60Z", DateTime, Options{}, CodeParse, "leap seconds"},
		{"2026-05-16T23:61:00Z", DateTime, Options{}, CodeParse, "no such minute"},
		{"24:00", Time, Options{}, CodeParse, "next day"},
		{"20260516", Date, Options{}, CodeParse, "parse: yyyyMMdd"},
		{json.Number("1480000000"), DateTime, Options{}, CodeType, "parse: epoch"},
		{"05/16/2026", Date, Options{}, CodeParse, "MM/dd/yyyy"},
		{"16.05.2026", Date, Options{}, CodeParse, "dd.MM.yyyy"},
		{"/Date(1)/", DateTime, Options{}, CodeParse, "parse: odata"},
		{"00000000", Date, Options{Parse: "yyyyMMdd"}, CodeParse, ""},
		{"", Date, Options{}, CodeParse, "empty text"},
		{"2026-05-16T14:30:00Z", DateTime, Options{Parse: "yyyy-MM-dd'T'HH:mm:ssZ"}, CodeParse, "for the letter Z write `X`"},
		{"2026-05-16", Date, Options{Parse: "yyyyMMdd"}, CodeParse, "read without `parse`"},
		{"2026-5-16", Date, Options{}, CodeParse, ""},
		{"31.04.2026", Date, Options{Parse: "dd.MM.yyyy"}, CodeParse, "no such day"},
		{"Fri, 16 May 2026", Date, Options{Parse: "EEE, dd MMM yyyy"}, CodeParse, "weekday does not fit"},
		{"13:00 PM", Time, Options{Parse: "hh:mm a"}, CodeParse, "half day"},
		{"2026366", Date, Options{Parse: "yyyyDDD"}, CodeParse, "day of the year"},
		{"2026-03-29T02:30:00", DateTime, Options{Zone: "Europe/Berlin"}, CodeZone, "does not exist in Europe/Berlin"},
		{"2026-03-08T02:30:00", DateTime, Options{Zone: "America/New_York"}, CodeZone, "does not exist"},
		{"2026-05-16T14:30:00+25:00", DateTime, Options{}, CodeParse, ""},
		{"2026-05-16T14:30:00.1234567890Z", DateTime, Options{}, CodeParse, ""},
		{"2026-05-16T14:30:00Zx", DateTime, Options{}, CodeParse, ""},
		{"x", DateTime, Options{Parse: "yyyyMMddHHmm"}, CodeZone, "reads no offset and no zone is given"},
		{"x", DateTime, Options{Parse: "yyyyMMddHHmmX | yyyyMMddHHmm"}, CodeZone, "reads no offset"},
		{"x", Date, Options{Parse: "odata"}, CodeZone, "depends on the zone"},
		{true, Date, Options{}, CodeType, "expected a date"},
		{"2026-05-16T22:30:00Z", DateTime, Options{Format: "HH:mm"}, CodeZone, "writes no offset"},
		{"x", DateTime, Options{Zone: "CET"}, CodeZone, "unknown zone"},
		{"x", DateTime, Options{Zone: "Local"}, CodeZone, "unknown zone"},
		{"x", DateTime, Options{Zone: "Europe/../UTC"}, CodeZone, "unknown zone"},
		{"x", DateTime, Options{Zone: "Europe/Berlin ->"}, CodeZone, "from where to where"},
		{"x", Time, Options{Zone: "UTC"}, CodeDefinition, "no meaning"},
		{"x", Date, Options{Parse: "YYYYMMdd"}, CodeDefinition, "`yyyy`"},
	} {
		got, err := Convert(c.in, Type{Base: c.typ}, c.opt)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%v as %s %+v = %v, %v; want code %s and %q", c.in, c.typ, c.opt, got, err, c.code, c.want)
		}
	}
}

func TestCheckPattern(t *testing.T) {
	for _, c := range []struct {
		pattern string
		typ     Base
		parsing bool
		at      string // the marked part, "" where the pattern is right
		hint    string
	}{
		{"yyyyMMdd", Date, true, "", ""},
		{"dd.MM.yyyy HH:mm", DateTime, true, "", ""},
		{"h:mm a", Time, true, "", ""},
		{"epoch_ms", DateTime, true, "", ""},
		{"yyyyMMdd | dd.MM.yyyy", Date, true, "", ""},
		{"YYYY-MM-dd", Date, true, "YYYY", "`yyyy`"},
		{"yyyy-mm-dd", Date, true, "mm", "`MM`"},
		{"yyyy-mm-dd HH:MM", DateTime, true, "mm", "`MM`"},
		{"yyyy-MM-dd HH:MM", DateTime, true, "MM", "`mm`"},
		{"yyyy-MM-DD", Date, true, "DD", "`dd`"},
		{"HH:mm:SS", Time, true, "SS", "`ss`"},
		{"yyyy-MM-dd hh:mm", DateTime, true, "hh", "`HH`"},
		{"yyyy-MM-ddTHH:mm", DateTime, true, "T", "'T'"},
		{"yyyyMMdd | dd.mm.yyyy", Date, true, "mm", "`MM`"},
		{"yyyy-MM-dd HH:mm z", DateTime, true, "z", "VV"},
		{"yyyyMMdd'x", Date, true, "'x", "'"},
		{"dMyyyy", Date, true, "dM", "`dd`"},
		{"yyyyMM", Date, true, "yyyyMM", "dd"},
		{"yyyyMMdd", DateTime, true, "yyyyMMdd", "type: date"},
		{"yyyyMMdd", Time, true, "yyyyMMdd", "HH"},
		{"yyyMMdd", Date, true, "yyy", "yyyy"},
		{"", Date, true, "", "yyyyMMdd"},
		{"HH:mm", Date, false, "HH:mm", "datetime"},
		{"yyyyMMdd XXX", Date, false, "yyyyMMdd XXX", "leave it out"},
		{"dd.MM. | yyyy", Date, false, "dd.MM. | yyyy", "keep one"},
		{"HH:mm VV", DateTime, false, "HH:mm VV", "XXX"},
		{"MM/dd", Date, false, "", ""},
		{"epoch", Time, true, "epoch", "datetime"},
	} {
		problems := CheckPattern(c.pattern, Type{Base: c.typ}, c.parsing)
		if c.hint == "" {
			if len(problems) > 0 {
				t.Errorf("%q: %+v", c.pattern, problems)
			}
			continue
		}
		if len(problems) == 0 {
			t.Errorf("%q: no problem found", c.pattern)
			continue
		}
		p := problems[0]
		if at := c.pattern[p.From:p.To]; at != c.at || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%q: marked %q, hint %q (%s)", c.pattern, at, p.Hint, p.Message)
		}
	}
}

// Go's own parser and formatter are the oracle for whole days and clocks.
func TestTemporalAgreesWithTime(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(0, 4102444800).Draw(t, "sec")
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(sec, 0).In(loc)
		got, err := Convert(at.Format("02.01.2006 15:04:05"), Type{Base: DateTime}, Options{Parse: "dd.MM.yyyy HH:mm:ss", Zone: zone})
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		read, err := time.Parse(time.RFC3339, got.(string))
		if err != nil {
			t.Fatal(err)
		}
		// The first of two equal local times may be meant by the other.
		if read.In(loc).Format("02.01.2006 15:04:05") != at.Format("02.01.2006 15:04:05") || read.After(at) {
			t.Fatalf("%s became %s", at, got)
		}
		back, err := Convert(at.Format(time.RFC3339), Type{Base: DateTime}, Options{Format: "dd.MM.yyyy HH:mm:ss", Zone: zone})
		if err != nil || back != at.Format("02.01.2006 15:04:05") {
			t.Fatalf("%s written as %v (%v)", at, back, err)
		}
	})
}

func FuzzTemporal(f *testing.F) {
	f.Add("2026-05-16T14:30:00+02:00", "yyyyMMdd | epoch")
	f.Add("/Date(1+1)/", "odata")
	f.Add("16.05.26 1:02 pm", "dd.MM.yy h:mm a")
	f.Fuzz(func(t *testing.T, s, pattern string) {
		for _, base := range []Base{Date, DateTime, Time} {
			for _, opt := range []Options{{}, {Parse: pattern}, {Zone: "Europe/Berlin"}, {Format: pattern}} {
				if base == Time {
					opt.Zone = ""
				}
				got, err := Convert(s, Type{Base: base}, opt)
				if err != nil || opt.Format != "" {
					continue
				}
				again, err := Convert(got, Type{Base: base}, Options{})
				if err != nil || again != got {
					t.Fatalf("%q %+v gave %v, which reads as %v (%v)", s, opt, got, again, err)
				}
			}
		}
	})
}

func BenchmarkTemporal(b *testing.B) {
	c, err := NewConverter(Type{Base: DateTime}, Options{Parse: "dd.MM.yyyy HH:mm", Zone: "Europe/Berlin"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var in any = "16.05.2026 14:30"
	for b.Loop() {
		if _, err := c.Convert(in); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAdviceReads holds that the pattern which is advised for a time reads it.
func TestAdviceReads(t *testing.T) {
	for text, want := range map[string]string{
		"05/18/2026 2:05 PM":    "2026-05-18T14:05:00Z",
		"05/18/2026 2:05:09 pm": "2026-05-18T14:05:09Z",
		"05/18/2026 14:05":      "2026-05-18T14:05:00Z",
		"18.05.2026 14:05:09":   "2026-05-18T14:05:09Z",
		"18.05.2026":            "",
	} {
		c, err := NewConverter(Type{Base: DateTime}, Options{Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Convert(text)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", text, err)
		}
		_, pattern, _ := strings.Cut(e.Hint, "`parse: ")
		pattern, _, _ = strings.Cut(pattern, "`")
		if want == "" {
			if pattern != "dd.MM.yyyy" {
				t.Errorf("%s: advised %q", text, e.Hint)
			}
			continue
		}
		c, err = NewConverter(Type{Base: DateTime}, Options{Zone: "UTC", Parse: pattern})
		if err != nil {
			t.Fatalf("%s: %s: %v", text, pattern, err)
		}
		if got, err := c.Convert(text); err != nil || got != want {
			t.Errorf("%s: %s reads %v, %v", text, pattern, got, err)
		}
	}
}
