package main

import "example.com/my_plugin/axiom"

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, header axiom.Header) error {
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

// encode copies: here the bytes become fewer.
func encode(plain []byte) []byte { return plain }

func decode(stored []byte, plainLength int) ([]byte, error) {
	if len(stored) != plainLength {
		return nil, axiom.Fail(axiom.CorruptData, "it does not hold what it should")
	}
	return stored, nil
}
