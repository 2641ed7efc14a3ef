package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sort"
	"strings"

	"crossdock/dsl/ast"
)

// meaning hashes what a tree says: not its comments, layout, quoting style of
// equal values, or the order of its keys. Whether a scalar was quoted counts,
// because a constant 5 and a constant "5" differ.
func meaning(n *ast.Node, extra ...string) string {
	h := sha256.New()
	hashNode(h, n)
	for _, e := range extra {
		fmt.Fprintf(h, "+%d:%s", len(e), e)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func hashNode(h hash.Hash, n *ast.Node) {
	if n == nil {
		h.Write([]byte{'0'})
		return
	}
	switch n.Kind {
	case ast.Scalar:
		style := 's'
		if n.Style != ast.Plain {
			style = 'q'
		}
		fmt.Fprintf(h, "%c%d:%s", style, len(n.Text), n.Text)
	case ast.List:
		fmt.Fprintf(h, "l%d", len(n.Items))
		for _, item := range n.Items {
			hashNode(h, item)
		}
	case ast.Map:
		pairs := append([]ast.Pair{}, n.Pairs...)
		sort.Slice(pairs, func(i, j int) bool { return pairs[i].Key.Text < pairs[j].Key.Text })
		fmt.Fprintf(h, "m%d", len(pairs))
		for _, p := range pairs {
			fmt.Fprintf(h, "%d:%s", len(p.Key.Text), p.Key.Text)
			hashNode(h, p.Value)
		}
	}
}

// EventName brings the name of an event to its normal form: dots, dashes and
// underscores between words mean the same.
func EventName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' {
			return '_'
		}
		return r
	}, strings.ToLower(name))
}

func splitRef(ref string) (conn, op string) {
	i := strings.LastIndexByte(ref, '.')
	if i < 0 {
		return ref, ""
	}
	return ref[:i], ref[i+1:]
}
