// Package alert decides what the receivers of alerts are told, and when.
//
// Watch looks at the facts: dead letters, how old what waits is, breakers,
// payloads that drift, reloads and sources that fail. What is not as it should
// be is an incident with a fingerprint; it is told once, again after a time
// while it goes on, and when it has ended. What comes within a short time is
// told in one message.
//
// A message is an ordinary message of an ordinary pipeline, alerts/NAME, put
// into its lane in one write with what is remembered of the incidents: it is
// repeated, visible and traceable as any other, and told once, whatever
// crashes. What happens to the messages of alerts is never an incident itself,
// so an alert that cannot be delivered does not cause another one.
package alert

import (
	"time"

	"crossdock/dsl/compile"
)

// Incident is one thing that is not as it should be, told to one receiver.
type Incident struct {
	Alert     string    `json:"alert"`
	Condition string    `json:"condition"`
	Subject   string    `json:"subject"` // box, lane, pipeline or replica
	Summary   string    `json:"summary"`
	Since     time.Time `json:"since"`
	Count     int       `json:"count,omitempty"` // dead letters that came since then

	Told  time.Time `json:"told,omitzero"` // last; zero = not yet
	Gone  time.Time `json:"gone,omitzero"` // since when it is not the case; zero while it is
	Ended bool      `json:"ended,omitempty"`
}

// lasting is how long some conditions have to be over before they count as ended:
// what waits is called at times to see whether it may go on, and waits again.
func lasting(condition string) time.Duration {
	if condition == compile.OnDrift || condition == compile.OnBreaker {
		return 15 * time.Second
	}
	return 0
}

// fingerprint is what makes two reports the same incident.
func (i *Incident) fingerprint() string { return i.Alert + "\x00" + i.Condition + "\x00" + i.Subject }

// State is what is remembered between two looks.
type State struct {
	Incidents map[string]*Incident `json:"incidents"`
	Sent      map[string]time.Time `json:"sent"`            // by alert: its last message
	Counted   map[string]int64     `json:"counted"`         // by pipeline: dead letters there ever were
	Marks     map[string][]Mark    `json:"marks,omitempty"` // by box: dead letters of late
}

// Mark notes that some dead letters came.
type Mark struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}
