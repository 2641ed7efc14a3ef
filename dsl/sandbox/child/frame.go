package child

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What goes through the pipes is frames: a kind, the size, and the bytes.
const (
	frameHello    byte = iota // child: I am here, and this is what I speak
	frameCall                 // process: run this
	frameQuestion             // child: what does this table say?
	frameAnswer               // process: this
	frameResult               // child: these are the values, or this is the error
	frameHere                 // child: run it yourself, I cannot hand it over
)

// speaks is what a hello says. A program that was replaced while it runs may find
// another one in its place.
const speaks = "crossdock cells 1"

// frameMost bounds one frame. What is larger runs in the process.
const frameMost = 32 << 20

var errNonsense = errors.New("a child says what nobody understands")

func writeFrame(w io.Writer, kind byte, b []byte) error {
	if len(b) > frameMost {
		return fmt.Errorf("a frame of %d bytes is too large", len(b))
	}
	head := append(make([]byte, 0, 5+min(len(b), 4096)), kind)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(b)))
	if len(b) <= 4096 { // in one write
		_, err := w.Write(append(head, b...))
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

func readFrame(r io.Reader) (kind byte, b []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.LittleEndian.Uint32(head[1:])
	if size > frameMost {
		return 0, nil, errNonsense
	}
	b = make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, nil, err
	}
	return head[0], b, nil
}
