package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crossdock/dsl/spec"
)

// Secrets looks up ${secret.name} where the environment says.
type Secrets struct {
	provider, prefix, dir string
}

// NewSecrets returns the secrets of an environment; without one they are read
// from variables of the process that begin with XD_.
func NewSecrets(s spec.Secrets, workspace string) *Secrets {
	out := &Secrets{provider: s.Provider.Value, prefix: s.Prefix.Value, dir: s.Dir.Value}
	if out.provider == "" {
		out.provider = "env"
	}
	if out.provider == "env" && !s.Prefix.Set() {
		out.prefix = "XD_"
	}
	if out.dir != "" && !filepath.IsAbs(out.dir) {
		out.dir = filepath.Join(workspace, out.dir)
	}
	return out
}

// Lookup returns the value of a secret. Errors name the secret and where it
// was looked for, never a value.
func (s *Secrets) Lookup(name string) (string, error) {
	if s.provider == "file" {
		if name != filepath.Base(name) {
			return "", fmt.Errorf("the secret %s is not a file name", name)
		}
		raw, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return "", fmt.Errorf("the secret %s is not in the folder of secrets", name)
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	}
	variable := s.Variable(name)
	value, ok := os.LookupEnv(variable)
	if !ok || value == "" {
		return "", fmt.Errorf("the secret %s is not set: set the environment variable %s", name, variable)
	}
	return value, nil
}

// Variable returns the name of the environment variable of a secret.
func (s *Secrets) Variable(name string) string {
	return s.prefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
