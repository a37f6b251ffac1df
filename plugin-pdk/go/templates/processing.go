package main

import "example.com/my_plugin/axiom"

type result struct {
	Status  string         `json:"status"`
	Metrics map[string]int `json:"metrics"`
}

type plugin struct{ axiom.Nothing }

func init() { axiom.Serve(plugin{}) }

func main() {}

func (plugin) Execute(operation axiom.Operation, header axiom.Header) error {
	if operation != axiom.Run {
		return axiom.Unsupported
	}
	// "event", "status" and "message" say what happened: here is what you make of it.
	return axiom.SetResult(result{"SUCCESS", map[string]int{"message_bytes": len(header.String("message"))}})
}
