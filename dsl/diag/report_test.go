package diag_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/diag"
)

// report prints findings of a workspace that stands in a folder of its
// repository.
func report(t *testing.T, f diag.Format, list diag.List) []byte {
	t.Helper()
	o := options(f)
	o.Prefix = "flows/east"
	var out bytes.Buffer
	if err := diag.Print(&out, list, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSARIFValid holds sarif output to a schema written from the standard,
// whose objects are closed. Where $SARIF_SCHEMA names the schema of OASIS, that
// one is asked too.
func TestSARIFValid(t *testing.T) {
	paths := []string{"testdata/sarif.schema.json"}
	if official := os.Getenv("SARIF_SCHEMA"); official != "" {
		paths = append(paths, official)
	}
	for _, path := range paths {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		schema, err := c.Compile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, list := range map[string]diag.List{"none": nil, "some": findings()} {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report(t, diag.SARIFFormat, list)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
}

// TestSARIFRules: what a schema cannot say. Every result points at its rule,
// and no line ends before it begins.
func TestSARIFRules(t *testing.T) {
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID              string
				RuleIndex           int
				PartialFingerprints map[string]string
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(report(t, diag.SARIFFormat, findings()), &log); err != nil {
		t.Fatal(err)
	}
	run, prints := log.Runs[0], map[string]bool{}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s points at rule %d, %s", r.RuleID, r.RuleIndex, run.Tool.Driver.Rules[r.RuleIndex].ID)
		}
		print := r.PartialFingerprints["crossdock/v1"]
		if print == "" || prints[print] {
			t.Errorf("%s: the fingerprint %q is not its own", r.RuleID, print)
		}
		prints[print] = true
		at := r.Locations[0].PhysicalLocation
		if !strings.HasPrefix(at.ArtifactLocation.URI, "flows/east/") {
			t.Errorf("%s is not below the folder of the workspace", at.ArtifactLocation.URI)
		}
		if g := at.Region; g != nil && (g.EndLine < g.StartLine || g.EndLine == g.StartLine && g.EndColumn < g.StartColumn) {
			t.Errorf("%s ends before it begins: %+v", r.RuleID, *g)
		}
	}
}

// TestGitLab: a list, also of nothing; all that GitLab needs, and each
// fingerprint once, as it shows only the first of equal ones.
func TestGitLab(t *testing.T) {
	if got := strings.TrimSpace(string(report(t, diag.GitLabFormat, nil))); got != "[]" {
		t.Errorf("no findings: %s", got)
	}
	type issue struct {
		Description, Fingerprint, Severity string
		Check                              string `json:"check_name"`
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	var issues []issue
	dec := json.NewDecoder(bytes.NewReader(report(t, diag.GitLabFormat, findings())))
	if err := dec.Decode(&issues); err != nil {
		t.Fatal(err)
	}
	known, prints := map[string]bool{"info": true, "minor": true, "major": true, "critical": true, "blocker": true}, map[string]bool{}
	for _, i := range issues {
		if i.Description == "" || i.Check == "" || !known[i.Severity] || i.Location.Lines.Begin < 1 || prints[i.Fingerprint] || i.Fingerprint == "" {
			t.Errorf("not complete: %+v", i)
		}
		if !strings.HasPrefix(i.Location.Path, "flows/east/") {
			t.Errorf("%s is not below the folder of the workspace", i.Location.Path)
		}
		prints[i.Fingerprint] = true
	}
	if len(issues) != len(findings()) {
		t.Errorf("%d issues", len(issues))
	}
}

func TestJUnit(t *testing.T) {
	type suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Tests int `xml:"tests,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	for _, list := range []diag.List{nil, findings()} {
		var r suites
		if err := xml.Unmarshal(report(t, diag.JUnitFormat, list), &r); err != nil {
			t.Fatal(err)
		}
		tests, failures := 0, 0
		for _, s := range r.Suites {
			tests += s.Tests
			for _, c := range s.Cases {
				if c.Failure != nil {
					failures++
				}
			}
		}
		if tests != max(1, len(list)) || failures != len(list) || tests != r.Tests || failures != r.Failures {
			t.Errorf("%d findings make %d tests and %d failures: %+v", len(list), tests, failures, r)
		}
	}
}

// TestGitHubEscapes: nothing in a finding ends a workflow command early, and
// nothing begins a second one.
func TestGitHubEscapes(t *testing.T) {
	d := diag.Diagnostic{Code: "XD1001", Message: "50% of a:b,c\r\n::error::forged", Span: span("a,b:c%25.yaml", 1, 2, 1, 3), Hint: "::set-output name=x::y"}
	out := string(report(t, diag.GitHubFormat, diag.List{d}))
	if strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "::error file=flows/east/a%2Cb%3Ac%2525.yaml,line=1,col=2,endColumn=3,title=XD1001::50%25 of a:b,c") {
		t.Errorf("%q", out)
	}
}
