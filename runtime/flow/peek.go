package flow

// PipelineOf returns the name of the pipeline of an encoded Run without reading
// the rest of it; "" where b is no record.
func PipelineOf(b []byte) string {
	if len(b) < recordHead || b[0] != recordVersion {
		return ""
	}
	d := reader{b: b[recordHead:]}
	_ = d.bytes() // the ID
	return d.text()
}
