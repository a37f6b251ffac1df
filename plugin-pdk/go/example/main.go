// PackBits: n < 128 is followed by n + 1 bytes as they are, n >= 128 by one byte that is there n - 125 times.
package main

import (
	"bytes"

	"axiom.example/kit/axiom"
)

const (
	literalsMax = 128
	runMin      = 3
	runMax      = 130
)

type runs struct{ axiom.Nothing }

func init() { axiom.Serve(runs{}) }

func main() {}

func (runs) Execute(operation axiom.Operation, header axiom.Header) error {
	switch operation {
	case axiom.Encode:
		axiom.Write(encode(axiom.ReadAll()))
	case axiom.Decode:
		plain, err := decode(axiom.ReadAll(), int(header.Integer("plain_length")))
		if err != nil {
			return err
		}
		axiom.Write(plain)
	default:
		return axiom.Unsupported
	}
	return nil
}

// run is how often the first byte stands there, up to runMax times.
func run(plain []byte) int {
	n := 1
	for n < runMax && n < len(plain) && plain[n] == plain[0] {
		n++
	}
	return n
}

func encode(plain []byte) []byte {
	stored := make([]byte, 0, len(plain)+len(plain)/literalsMax+2)
	for at := 0; at < len(plain); {
		if length := run(plain[at:]); length >= runMin {
			stored = append(stored, byte(length+125), plain[at])
			at += length
			continue
		}
		from := at
		for at < len(plain) && at-from < literalsMax && run(plain[at:]) < runMin {
			at++
		}
		stored = append(append(stored, byte(at-from-1)), plain[from:at]...)
	}
	return stored
}

func decode(stored []byte, plainLength int) ([]byte, error) {
	plain := make([]byte, 0, plainLength)
	for len(stored) > 0 {
		n, used, made := int(stored[0]), 1, int(stored[0])-125
		if n < literalsMax {
			used, made = n+1, n+1
		}
		if used > len(stored)-1 {
			return nil, axiom.Fail(axiom.CorruptData, "it ends too early")
		}
		if len(plain)+made > plainLength {
			return nil, axiom.Fail(axiom.CorruptData, "it holds more than it should")
		}
		part := stored[1 : 1+used]
		if n >= literalsMax {
			part = bytes.Repeat(part, made)
		}
		plain = append(plain, part...)
		stored = stored[1+used:]
	}
	return plain, nil
}
