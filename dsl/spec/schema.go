package spec

import "regexp"

import "crossdock/dsl/ast"

// Schema is the contract of a document or event: NAME.schema.yaml. Its fields
// are read by dsl/schema.
type Schema struct {
	Name        Text      `yaml:"schema" doc:"Name with major version, such as canonical/shipment@2." validate:"required" names:"schema"`
	Description Text      `yaml:"description" doc:"What it describes."`
	EventName   Cell      `yaml:"event_name" doc:"jq: the name under which an event of this schema is heard." lang:"jq"`
	Closed      bool      `yaml:"closed" doc:"Fields that are not listed are refused."`
	Fields      *ast.Node `yaml:"fields" doc:"name: {type, required, options, pii, ...}; dots nest, [] marks lists." takes:"schema"`
	JSONSchema  Text      `yaml:"json_schema" doc:"File with a JSON Schema instead of fields." ref:"file"`
}

var majorNumber = regexp.MustCompile(`^[vV]?([1-9][0-9]{0,8})\b`)

// Major is the major version that a version was meant to be: 2 for v2 and 2.1, else 1.
func Major(version string) string {
	if m := majorNumber.FindStringSubmatch(version); m != nil {
		return m[1]
	}
	return "1"
}
