package main

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"example.com/my_plugin/axiom"
)

const (
	keyBytes   = 32
	nonceBytes = 12
	keyAt      = 4
	nonceAt    = keyAt + keyBytes
	aadAt      = nonceAt + nonceBytes
)

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, _ axiom.Header) error {
	if operation != axiom.Seal && operation != axiom.Open {
		return axiom.Unsupported
	}
	// Length of the associated data, key, nonce, associated data, and what is sealed or opened.
	input := axiom.ReadAll()
	if len(input) < aadAt || int(binary.LittleEndian.Uint32(input)) > len(input)-aadAt {
		return axiom.Fail(axiom.InvalidInput, "the input is too short")
	}
	dataAt := aadAt + int(binary.LittleEndian.Uint32(input))
	key, nonce, aad, data := input[keyAt:nonceAt], input[nonceAt:aadAt], input[aadAt:dataAt], input[dataAt:]
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	if operation == axiom.Seal {
		axiom.Write(gcm.Seal(nil, nonce, data, aad))
		return nil
	}
	plain, err := gcm.Open(data[:0], nonce, data, aad)
	if err != nil {
		return axiom.Fail(axiom.Auth, "it was not sealed with this key and this associated data, or was changed")
	}
	axiom.Write(plain)
	return nil
}
