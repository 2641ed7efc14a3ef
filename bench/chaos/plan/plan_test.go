package plan

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestPlansFollowFromTheSeed and hold what every run has to have.
func TestPlansFollowFromTheSeed(t *testing.T) {
	seen := map[Kind]int{}
	for seed := range uint64(400) {
		o := Options{Duration: 20 * time.Second, Disks: true, Tagged: true}
		p := Make(seed, o)
		if !reflect.DeepEqual(p, Make(seed, o)) {
			t.Fatalf("seed %d gives two plans", seed)
		}
		if len(p.Faults) < 10 || len(p.Kinds) < 3 {
			t.Errorf("seed %d has %d faults of %d kinds", seed, len(p.Faults), len(p.Kinds))
		}
		for _, f := range p.Faults {
			seen[f.Kind]++
			if f.At+f.For > p.Duration || f.At <= 0 || f.For < 0 || f.Who >= p.Replicas {
				t.Errorf("seed %d: %v does not fit", seed, f)
			}
			if !p.possible(f.Kind, o) {
				t.Errorf("seed %d: %v cannot happen on %s %s %s", seed, f, p.Store, p.Sync, p.Disk)
			}
		}
	}
	for _, d := range menu {
		if seen[d.kind] == 0 {
			t.Errorf("the fault %s never happens", d.kind)
		}
	}
}

func TestPlansCanBeKept(t *testing.T) {
	p := Make(3, Options{Duration: time.Second})
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := p.Write(path); err != nil {
		t.Fatal(err)
	}
	if again, err := Read(path); err != nil || !reflect.DeepEqual(p, again) {
		t.Errorf("%+v came back as %+v (%v)", p, again, err)
	}
}
