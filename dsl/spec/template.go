package spec

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Template is a set of definitions with parameters: NAME.template.yaml, beside
// the ordinary files it is made of.
type Template struct {
	Name        Text                 `yaml:"template" doc:"Name with major version, such as client@2." validate:"required" names:"template"`
	Description Text                 `yaml:"description" doc:"What it is for, and who owns it."`
	Params      Fields[Param]        `yaml:"params" doc:"What an instance says: name: {type, required, default, options, note}."`
	Files       Fields[TemplateFile] `yaml:"files" doc:"Names of files of this folder, with {param} for parts that vary, and when an instance gets them; all of them unless said otherwise."`
	Open        []Text               `yaml:"open" doc:"What an instance may override, as kind/name or kind/name.path; everything else is sealed."`
}

// Param is one thing that an instance says.
type Param struct {
	Node     *ast.Node `yaml:"-"`
	Type     Text      `yaml:"type" ref:"type" doc:"string, name, integer, number, boolean, decimal(n), date, datetime, time, url, choice, list(T) or object." validate:"required"`
	Required bool      `yaml:"required" doc:"Every instance has to say it."`
	Default  *ast.Node `yaml:"default" doc:"Value of an instance that does not say it."`
	Options  []Text    `yaml:"options" doc:"The texts that are allowed; a choice needs them."`
	Note     Text      `yaml:"note" doc:"For the person who makes an instance."`
}

// TemplateFile says when an instance gets a file.
type TemplateFile struct {
	When Cell `yaml:"when" doc:"expr over params: true where an instance gets the file." lang:"expr"`
}

// Instance is one client's use of a template: NAME.instance.yaml.
type Instance struct {
	Name        Text      `yaml:"instance" doc:"Name of the instance." validate:"required" names:"instance"`
	Description Text      `yaml:"description" doc:"Whose it is."`
	Of          Text      `yaml:"of" doc:"Template with its major version, such as client@2." validate:"required" ref:"template"`
	Params      *ast.Node `yaml:"params" doc:"Values of the parameters."`
	Override    *ast.Node `yaml:"override" doc:"What is different here: kind/name, then keys or dotted paths with their values, drop, until and note."`
	Drop        []Text    `yaml:"drop" doc:"What this instance does not have, as kind/name or kind/name.path."`
}

// OverrideKeys are the keys of one override that are not paths.
var OverrideKeys = []string{"drop", "until", "note"}

// Computed returns the nodes of a definition that are computed cells. What else
// is wrong with the definition does not matter.
func Computed(k Kind, root *ast.Node) map[*ast.Node]bool {
	found := map[*ast.Node]bool{}
	d := &Decoder{Diags: new(diag.List), cells: found}
	if into := k.fresh(); into != nil && root != nil && root.Kind == ast.Map {
		d.Decode(root, into)
	}
	return found
}
