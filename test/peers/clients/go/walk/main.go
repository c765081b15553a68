// Reads answers from standard input, a line of JSON each, into stripe-go's own types; prints a line for each that does
// not fit: the operation, a tab, and why.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type answer struct {
	Operation string          `json:"operation"`
	Kind      string          `json:"kind"`
	Body      json.RawMessage `json:"body"`
}

type list struct {
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
	URL     string            `json:"url"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	read := 0
	for input.Scan() {
		var one answer
		if err := json.Unmarshal(input.Bytes(), &one); err != nil {
			panic(err)
		}
		if err := fits(one); err != nil {
			fmt.Printf("%s\t%v\n", one.Operation, err)
		}
		read++
	}
	if err := input.Err(); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, read)
}

func fits(one answer) error {
	var body struct {
		Object string          `json:"object"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(one.Body, &body); err != nil {
		return err
	}
	isPage := body.Object == "" && len(body.Data) > 0 && body.Data[0] == '['
	if body.Object != "list" && body.Object != "search_result" && !isPage {
		return decode(body.Object, one.Body)
	}
	var all list
	if err := json.Unmarshal(one.Body, &all); err != nil {
		return err
	}
	for _, item := range all.Data {
		if err := json.Unmarshal(item, &body); err != nil {
			return err
		}
		if err := decode(body.Object, item); err != nil {
			return err
		}
	}
	return nil
}

func decode(kind string, body json.RawMessage) error {
	target, known := kinds[kind]
	if !known {
		return fmt.Errorf("no type for %q", kind)
	}
	return json.Unmarshal(body, target())
}
