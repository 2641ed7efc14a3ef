package runtime_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStartAfterAFaultyEdit restarts on definitions that somebody broke: the
// last good revision works on, the findings are told, and a mended file is
// taken over.
func TestStartAfterAFaultyEdit(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	s.start()
	s.send("a", 1)
	good := s.status().Revision
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.write("out.mapping.yaml", "mapping: out\nfields:\n  k: .k |\n")
	s.start()
	s.send("a", 2)
	if st := s.status(); st.Revision != good || st.Last.Result != "failed" || len(st.Findings) == 0 {
		t.Errorf("revision %s, want %s; last %+v; findings %v", st.Revision, good, st.Last, st.Findings)
	}
	s.reload("failed")
	s.write("out.mapping.yaml", baseMapping+"  e: {const: 3}\n")
	s.reload("ok")
	if b := s.settled(); b.Delivered != 2 {
		t.Errorf("balance %+v", b)
	}
	kept, err := os.ReadFile(filepath.Join(s.dir, ".crossdock", "last-good", "out.mapping.yaml"))
	if err != nil || string(kept) != baseMapping+"  e: {const: 3}\n" {
		t.Errorf("kept %q, %v", kept, err)
	}
}

// TestFaultyReloadJustAfterTheStart: what was started is kept although a reload
// of faulty definitions comes before there was time for it.
func TestFaultyReloadJustAfterTheStart(t *testing.T) {
	s := newSite(t)
	s.opt.Store = "embedded:" + filepath.Join(s.dir, ".crossdock", "store")
	s.start()
	good := s.status().Revision
	s.write("out.mapping.yaml", "mapping: out\nfields:\n  k: .k |\n")
	s.reload("failed")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	if st := s.status(); st.Revision != good || st.Last.Result != "failed" {
		t.Errorf("revision %s, want %s; last %+v", st.Revision, good, st.Last)
	}
}
