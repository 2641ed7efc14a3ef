// Package check holds the files of deploy/ to what reads them: the real parsers
// of Dockerfiles, Compose files and Kubernetes objects, and systemd itself. It
// is a module of its own, so that none of them becomes part of crossdock.
package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDockerfile(t *testing.T) {
	tree, err := parser.Parse(bytes.NewReader(read(t, "docker/Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Warnings) > 0 {
		t.Errorf("the parser warns: %v", tree.Warnings)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, text string, at []parser.Range) { t.Errorf("%s: %s %v", rule, text, at) }})
	stages, _, err := instructions.Parse(tree.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	last := stages[len(stages)-1]
	if !strings.Contains(last.BaseName, "distroless/static") {
		t.Errorf("the image is built on %s, which is more than a static binary needs", last.BaseName)
	}
	var user string
	for _, c := range last.Commands {
		if u, ok := c.(*instructions.UserCommand); ok {
			user = u.User
		}
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("the image runs as %q", user)
	}
}

func TestCompose(t *testing.T) {
	opt, err := cli.NewProjectOptions([]string{"../docker/compose.yaml"}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := opt.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.GetService("crossdock")
	if err != nil {
		t.Fatal(err)
	}
	if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") {
		t.Error("the container may write to its root or has capabilities")
	}
	for _, path := range []string{filepath.Join(s.Build.Context, s.Build.Dockerfile), s.Volumes[0].Source} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("compose names a path that is not there: %v", err)
		}
	}
	redis, err := p.GetService("redis")
	if err != nil {
		t.Fatal(err)
	}
	keepsPromises(t, redis.Command)
}

// keepsPromises holds the flags of a Redis to what the promises need.
func keepsPromises(t *testing.T, args []string) {
	t.Helper()
	line := strings.Join(args, " ")
	for _, want := range []string{"--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"} {
		if !strings.Contains(line, want) {
			t.Errorf("redis is started without %s: %s", want, line)
		}
	}
}

func TestKubernetes(t *testing.T) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	var pods []corev1.PodSpec
	var services []*corev1.Service
	for _, r := range built.Resources() {
		raw, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(raw, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", r.CurId(), err)
			continue
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			pods = append(pods, o.Spec.Template.Spec)
			covers(t, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
			drains(t, &o.Spec.Template.Spec)
		case *appsv1.StatefulSet:
			pods = append(pods, o.Spec.Template.Spec)
			covers(t, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
			keepsPromises(t, o.Spec.Template.Spec.Containers[0].Args)
		case *corev1.Service:
			services = append(services, o)
		}
	}
	if len(pods) != 2 || len(services) != 3 {
		t.Fatalf("%d pods and %d services are described", len(pods), len(services))
	}
	for _, p := range pods {
		hardened(t, &p)
	}
}

// covers tells when a selector does not select what it should.
func covers(t *testing.T, selector, labels map[string]string) {
	t.Helper()
	for k, v := range selector {
		if labels[k] != v {
			t.Errorf("the selector asks for %s=%s, the pods have %q", k, v, labels[k])
		}
	}
}

// hardened holds a pod to the restricted profile of pod security.
func hardened(t *testing.T, p *corev1.PodSpec) {
	t.Helper()
	if p.SecurityContext == nil || p.SecurityContext.RunAsNonRoot == nil || !*p.SecurityContext.RunAsNonRoot ||
		p.SecurityContext.SeccompProfile == nil {
		t.Error("a pod may run as root or without seccomp")
	}
	for _, c := range p.Containers {
		s := c.SecurityContext
		if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil ||
			!*s.ReadOnlyRootFilesystem || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" {
			t.Errorf("the container %s is not hardened", c.Name)
		}
		if c.Resources.Limits.Memory().IsZero() {
			t.Errorf("the container %s has no limit of memory", c.Name)
		}
	}
}

// drains holds the graceful stop: the time to stop covers what must happen in it.
func drains(t *testing.T, p *corev1.PodSpec) {
	t.Helper()
	const grace = 40 // seconds: closing the listener and finishing work, one after the other
	c := p.Containers[0]
	if p.TerminationGracePeriodSeconds == nil || *p.TerminationGracePeriodSeconds < c.Lifecycle.PreStop.Sleep.Seconds+grace {
		t.Error("the pod is killed before its work under way may have ended")
	}
	for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Port.String() != "probe" {
			t.Errorf("the %s probe does not ask the probe port", name)
		}
	}
}

func TestSystemd(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here; it comes with the package systemd")
	}
	// The command must exist for the check: any binary stands in for it.
	dir := t.TempDir()
	unit := strings.ReplaceAll(string(read(t, "systemd/crossdock.service")), "/usr/local/bin/crossdock", "/bin/true")
	path := filepath.Join(dir, "crossdock.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "verify", path).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// 2.0 is the upper end of what systemd calls OK.
	if out, err := exec.Command(tool, "security", "--offline=true", "--threshold=20", path).CombinedOutput(); err != nil {
		t.Errorf("the unit is too open: %v\n%s", err, out)
	}
}
