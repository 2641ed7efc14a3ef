package draft

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"crossdock/dsl/likeness"
)

//go:embed phrases.txt
var phrasesText string

// phrases is phrases.txt: the option that each phrase means.
var phrases = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(phrasesText) {
		option, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || line[0] == '#' {
			continue
		}
		for phrase := range strings.SplitSeq(list, ",") {
			out[strings.TrimSpace(phrase)] = option
		}
	}
	return out
})

// nouns may stand in front of what a code says, and say nothing about it.
var nouns = []string{"shipment", "parcel", "package", "order", "item", "consignment", "task"}

// meaning is the option that a code means, "" where that is not certain: its own
// name, or one by a phrase that both are.
func meaning(code string, options []string) string {
	words := likeness.Words(code)
	said := strings.Join(words, " ")
	if said == "" {
		return ""
	}
	for _, option := range options {
		if strings.Join(likeness.Words(option), " ") == said {
			return option
		}
	}
	means := phrases()[said]
	if means == "" && len(words) > 1 && slices.Contains(nouns, words[0]) {
		means = phrases()[strings.Join(words[1:], " ")]
	}
	if means == "" {
		return ""
	}
	for _, option := range options {
		if option == means || phrases()[strings.Join(likeness.Words(option), " ")] == means {
			return option
		}
	}
	return ""
}
