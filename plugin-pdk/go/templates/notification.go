package main

import (
	"encoding/json"
	"fmt"

	"example.com/my_plugin/axiom"
)

type plugin struct {
	axiom.Nothing
	url string
}

func init() { axiom.Serve(&plugin{}) }

func main() {}

func (p *plugin) Initialize(configuration axiom.Header) error {
	p.url = configuration.String("url")
	return nil
}

func (p *plugin) Execute(operation axiom.Operation, header axiom.Header) error {
	if operation != axiom.Run {
		return axiom.Unsupported
	}
	body, err := json.Marshal(header)
	if err != nil {
		return err
	}
	headers := map[string]string{"content-type": "application/json"}
	response, err := axiom.HTTP(axiom.Request{Method: "POST", URL: p.url, Headers: headers}, body)
	if err != nil {
		return err
	}
	if response.Status < 200 || response.Status > 299 {
		return axiom.Fail(axiom.Transient, fmt.Sprintf("the server answers %d", response.Status))
	}
	return axiom.SetResult(map[string]string{"status": "SUCCESS"})
}
