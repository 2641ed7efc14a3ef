package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	sectionGlobal = 6
	sectionExport = 7
	kindGlobal    = 3
)

var errModule = errors.New("this is no module that can be read")

// exportGlobals adds every global of a module to its exports, as "global0" and
// so on. Together with the memory they are all that a module at rest is.
func exportGlobals(module []byte) ([]byte, error) {
	if len(module) < 8 || string(module[:4]) != "\x00asm" {
		return nil, errModule
	}
	out := append([]byte{}, module[:8]...)
	globals := uint64(0)
	for rest := module[8:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || uint64(len(rest)-1-n) < size {
			return nil, errModule
		}
		body := rest[1+n:][:size]
		rest = rest[1+n+int(size):]
		switch id {
		case sectionGlobal:
			if globals, n = binary.Uvarint(body); n <= 0 {
				return nil, errModule
			}
		case sectionExport:
			var err error
			if body, err = moreExports(body, globals); err != nil {
				return nil, err
			}
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
	}
	return out, nil
}

func moreExports(body []byte, globals uint64) ([]byte, error) {
	had, n := binary.Uvarint(body)
	if n <= 0 {
		return nil, errModule
	}
	out := append(binary.AppendUvarint(nil, had+globals), body[n:]...)
	for i := range globals {
		name := fmt.Sprintf("global%d", i)
		out = append(binary.AppendUvarint(out, uint64(len(name))), name...)
		out = binary.AppendUvarint(append(out, kindGlobal), i)
	}
	return out, nil
}
