package spec

import "crossdock/dsl/ast"

// Lookup is a crosswalk: NAME.lookup.yaml.
type Lookup struct {
	Name        Text      `yaml:"lookup" doc:"Name of the table." validate:"required" names:"lookup"`
	Description Text      `yaml:"description" doc:"What it is for, and who owns it."`
	OnMiss      Text      `yaml:"on_miss" doc:"What happens to an unknown code: error, pass it on, or use the default." validate:"omitempty,oneof=error pass default"`
	Default     Value     `yaml:"default" doc:"Used where on_miss is default."`
	Rows        *ast.Node `yaml:"rows" doc:"code: value, or code: {column: value}. Codes are text." takes:"codes"`
	File        Text      `yaml:"file" doc:"CSV file with a header line instead of rows; the first column is the code." ref:"file"`
	IgnoreCase  bool      `yaml:"ignore_case" doc:"Codes match whatever their case."`
	KeyColumn   Text      `yaml:"key" doc:"Column of the CSV file with the code, where it is not the first one."`
}
