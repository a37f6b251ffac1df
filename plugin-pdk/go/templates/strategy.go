package main

import "example.com/my_plugin/axiom"

// each is how many snapshots there are from one full one to the next.
const each = 7

type decision struct {
	Mode   string  `json:"mode"`
	Parent *string `json:"parent"`
}

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, header axiom.Header) error {
	if operation != axiom.Plan {
		return axiom.Unsupported
	}
	_, isKnown := header["since_full"]
	sinceFull := header.Integer("since_full")
	if !isKnown || sinceFull < 0 || sinceFull+1 >= each {
		return axiom.SetResult(decision{Mode: "full"})
	}
	return axiom.SetResult(decision{Mode: "incremental"})
}
