package main

import (
	"bytes"
	"encoding/binary"

	"example.com/my_plugin/axiom"
)

const (
	file   = 1
	folder = 2
	link   = 3
)

type entry struct {
	kind byte
	size uint64
	path []byte
	// firstBytes are those of a file, where they were read.
	firstBytes []byte
}

// isKept leaves out empty files whose names end in .tmp: here is what you decide by.
func isKept(e entry) bool {
	return !(e.kind == file && e.size == 0 && bytes.HasSuffix(e.path, []byte(".tmp")))
}

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, _ axiom.Header) error {
	if operation != axiom.Select {
		return axiom.Unsupported
	}
	verdicts := []byte{}
	for rest := axiom.ReadAll(); len(rest) > 0; {
		e, after, err := next(rest)
		if err != nil {
			return err
		}
		verdict := byte(0)
		if isKept(e) {
			verdict = 1
		}
		verdicts, rest = append(verdicts, verdict), after
	}
	axiom.Write(verdicts)
	return nil
}

// next reads kind, 3 bytes that are 0, mode, size, time, length of the path, path and first bytes.
func next(rest []byte) (entry, []byte, error) {
	const pathAt = 28
	cutOff := axiom.Fail(axiom.InvalidInput, "an entry is cut off")
	if len(rest) < 4 || int(binary.LittleEndian.Uint32(rest)) > len(rest)-4 {
		return entry{}, nil, cutOff
	}
	length := int(binary.LittleEndian.Uint32(rest))
	own, rest := rest[4:4+length], rest[4+length:]
	if length < pathAt || int(binary.LittleEndian.Uint32(own[24:])) > length-pathAt {
		return entry{}, nil, cutOff
	}
	pathEnd := pathAt + int(binary.LittleEndian.Uint32(own[24:]))
	return entry{own[0], binary.LittleEndian.Uint64(own[8:]), own[pathAt:pathEnd], own[pathEnd:]}, rest, nil
}
