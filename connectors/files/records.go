package files

import (
	"bytes"
	"io"

	"crossdock/connectors/format"
	"crossdock/connectors/format/csv"
	jsonformat "crossdock/connectors/format/json"
	"crossdock/connectors/format/ndjson"
	"crossdock/connectors/format/text"
	"crossdock/dsl/spec"
)

// Open returns a reader of a file in the format of a trigger, whose settings
// were checked.
func Open(t *spec.FilesTrigger, in io.Reader) format.Reader {
	switch t.Format.Value {
	case "ndjson":
		return ndjson.Open(in, ndjson.Options{})
	case "text":
		return text.Open(in, t.Charset())
	case "csv":
		o := csv.Options{NoHeader: t.CSV.Header != nil && !*t.CSV.Header, Encoding: t.Charset()}
		if d, err := csv.Delimiter(t.CSV.Delimiter.Value); err == nil { // else refused when loaded
			o.Delimiter = d
		}
		for _, c := range t.CSV.Columns {
			o.Columns = append(o.Columns, c.Value)
		}
		if c := t.CSV.Comment.Value; c != "" {
			o.Comment = c[0]
		}
		return csv.Open(in, o)
	}
	return jsonformat.Open(in)
}

// Records reads all records of a file in the format of a trigger; the error is
// about the first one that cannot be read.
func Records(t *spec.FilesTrigger, raw []byte) ([]any, error) {
	in := Open(t, bytes.NewReader(raw))
	var out []any
	for {
		rec, err := in.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, rec.Value)
	}
}
