package main

import (
	"errors"
	"fmt"
	"strconv"

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
	key := header.String("key")
	switch operation {
	case axiom.Put:
		_, err := p.request("PUT", key, map[string]string{"if-none-match": "*"}, axiom.ReadAll())
		return err
	case axiom.Get:
		response, err := p.request("GET", key, byteRange(header), nil)
		axiom.Write(response.Body)
		return err
	case axiom.Stat:
		response, err := p.request("HEAD", key, nil, nil)
		if err != nil {
			return err
		}
		length, err := strconv.ParseInt(response.Headers["content-length"], 10, 64)
		if err != nil {
			return axiom.Fail(axiom.Permanent, "the server does not say how long "+key+" is")
		}
		return axiom.SetResult(map[string]int64{"length": length})
	case axiom.Delete:
		_, err := p.request("DELETE", key, nil, nil)
		if errors.Is(err, axiom.NotFound) {
			return nil
		}
		return err
	}
	return axiom.Unsupported // axiom.List: how it is done differs from server to server
}

func byteRange(header axiom.Header) map[string]string {
	offset, length := header.Integer("offset"), header.Integer("length")
	if length < 1 {
		return nil
	}
	return map[string]string{"range": fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)}
}

func (p *plugin) request(method, key string, headers map[string]string, body []byte) (axiom.Response, error) {
	response, err := axiom.HTTP(axiom.Request{Method: method, URL: p.url + key, Headers: headers}, body)
	if err != nil {
		return response, err
	}
	class := axiom.Permanent
	switch status := response.Status; {
	case status >= 200 && status < 300:
		return response, nil
	case status == 404:
		class = axiom.NotFound
	case status == 412:
		class = axiom.Conflict
	case status == 408 || status == 429 || status >= 500:
		class = axiom.Transient
	}
	return axiom.Response{}, axiom.Fail(class, fmt.Sprintf("%s %s: the server answers %d", method, key, response.Status))
}
