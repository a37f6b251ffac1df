package main

import "example.com/my_plugin/axiom"

const (
	name    = "hello.txt"
	content = "Hello from a plugin\n"
)

type stream struct {
	Name   string `json:"name"`
	Length int    `json:"length"`
}

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, header axiom.Header) error {
	switch operation {
	case axiom.List:
		return axiom.SetResult(map[string][]stream{"entries": {{name, len(content)}}})
	case axiom.ReadStream:
		if header.String("name") != name {
			return axiom.Fail(axiom.NotFound, "there is no such stream")
		}
		from := min(int64(len(content)), header.Integer("offset"))
		to := min(int64(len(content)), from+header.Integer("length"))
		axiom.Write([]byte(content[from:to]))
		return nil
	}
	return axiom.Unsupported
}
