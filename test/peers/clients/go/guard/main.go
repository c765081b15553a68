// What an agent on stripe-go gets from the guard: a JSON line for each call, its step, class, code and status.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	stripe "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/rawrequest"
)

var base, charge, name = os.Getenv("BASE"), os.Getenv("CHARGE"), os.Getenv("CLIENT")
var background = context.Background()

func backendOf(base string, timeout time.Duration, retries int64) stripe.Backend {
	return stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               &base,
		MaxNetworkRetries: &retries,
		HTTPClient:        &http.Client{Timeout: timeout},
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
}

func clientOf(key, base string, timeout time.Duration, retries int64) *stripe.Client {
	backend := backendOf(base, timeout, retries)
	return stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: backend, Uploads: backend}))
}

var client = clientOf(os.Getenv("KEY"), base, time.Minute, 1)

func step(called string, work func(tag string) (string, error)) {
	line := map[string]any{"step": called}
	id, err := work(name + "-" + called)
	var refused *stripe.Error
	var ofV2 *stripe.V2RawError
	if err == nil {
		line["class"], line["id"] = "ok", id
	} else if errors.As(err, &refused) {
		line["class"], line["status"], line["code"] = string(refused.Type), refused.HTTPStatusCode, refused.Code
		line["message"] = refused.Msg
	} else if errors.As(err, &ofV2) {
		line["class"], line["code"], line["message"] = "V2RawError", ofV2.Code, ofV2.Message
	} else {
		line["class"], line["message"] = fmt.Sprintf("%T", err), err.Error()
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func refundOf(of string, amount int64, tag, key string, by *stripe.Client) (string, error) {
	params := &stripe.RefundCreateParams{Charge: &of, Amount: &amount}
	if tag != "" {
		params.AddMetadata("step", tag)
	}
	if key != "" {
		params.SetIdempotencyKey(key)
	}
	made, err := by.V1Refunds.Create(background, params)
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

func refund(amount int64) func(string) (string, error) {
	return func(tag string) (string, error) { return refundOf(charge, amount, tag, "", client) }
}

// stripe-go sends by itself only what met no answer, or a lock: what else may be sent again, its caller sends.
func again(amount int64, tag string) (id string, err error) {
	for range 100 {
		id, err = refundOf(charge, amount, tag, tag, client)
		var refused *stripe.Error
		if !errors.As(err, &refused) || (refused.HTTPStatusCode != 409 && refused.HTTPStatusCode != 504) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return id, err
}

func by(key string, amount int64) func(string) (string, error) {
	return func(tag string) (string, error) {
		return refundOf(charge, amount, tag, "", clientOf(key, base, time.Minute, 1))
	}
}

func expand(what string) func(string) (string, error) {
	return func(string) (string, error) {
		params := &stripe.ChargeRetrieveParams{}
		params.AddExpand(what)
		found, err := client.V1Charges.Retrieve(background, charge, params)
		if err != nil {
			return "", err
		}
		return found.Customer.Object, nil
	}
}

func calls() {
	step("ok", refund(101))
	step("over-cap", refund(999_999))
	step("not-allowed", func(tag string) (string, error) {
		params := &stripe.ChargeCreateParams{Amount: stripe.Int64(5), Currency: stripe.String("usd")}
		params.AddMetadata("step", tag)
		_, err := client.V1Charges.Create(background, params)
		return "", err
	})
	step("no-currency", func(tag string) (string, error) { return refundOf(os.Getenv("EURO"), 5, tag, "", client) })
	step("repeated", refund(101))
	step("amount-unknown", func(tag string) (string, error) { return refundOf("ch_missing", 5, tag, "", client) })
	step("ambiguous", refund(-1))
	step("unknown-operation", func(tag string) (string, error) {
		raw := rawrequest.Client{B: backendOf(base, time.Minute, 1).(stripe.RawRequestBackend), Key: os.Getenv("KEY")}
		_, err := raw.RawRequest(http.MethodPost, "/v1/ponies", "metadata[step]="+tag, &stripe.RawParams{})
		return "", err
	})
	step("other-content", func(tag string) (string, error) {
		if _, err := refundOf(charge, 102, "", name+"-key", client); err != nil {
			return "", err
		}
		return refundOf(charge, 103, tag, name+"-key", client)
	})
	step("in-flight", func(tag string) (string, error) {
		var ids [2]string
		var errs [2]error
		var both sync.WaitGroup
		for n := range ids {
			both.Add(1)
			go func() {
				defer both.Done()
				ids[n], errs[n] = again(104, tag)
			}()
		}
		both.Wait()
		if ids[0] != ids[1] {
			return ids[0] + "," + ids[1], errors.Join(errs[0], errs[1])
		}
		return ids[0], errors.Join(errs[0], errs[1])
	})
	step("answer-lost", refund(105))
	step("stripe-cut", func(tag string) (string, error) { return again(106, tag) })
	step("outcome-unknown", refund(107))
	step("too-late", func(tag string) (string, error) {
		return refundOf(charge, 108, tag, "", clientOf(os.Getenv("KEY"), base, 2*time.Second, 6))
	})
	step("stripe-busy", refund(109))
	step("killed", by(os.Getenv("KILLED"), 5))
	step("no-run-key", by("rk_test_123", 5))
	step("expand", expand("customer"))
	step("expand-refused", expand("balance_transaction"))
	step("pages", func(string) (string, error) {
		params := &stripe.CustomerListParams{}
		params.Limit = stripe.Int64(2)
		count := 0
		var failed error
		client.V1Customers.List(background, params).All(background)(func(_ *stripe.Customer, err error) bool {
			failed = err
			count++
			return err == nil
		})
		return strconv.Itoa(count), failed
	})
	step("file", func(string) (string, error) {
		params := &stripe.FileCreateParams{Purpose: stripe.String("dispute_evidence")}
		params.FileReader, params.Filename = strings.NewReader("evidence"), stripe.String("a.txt")
		made, err := client.V1Files.Create(background, params)
		if err != nil {
			return "", err
		}
		return made.Object, nil
	})
	step("v2-pages", func(string) (string, error) {
		params := &stripe.V2CoreEventDestinationListParams{Limit: stripe.Int64(1)}
		count := 0
		var failed error
		client.V2CoreEventDestinations.List(background, params).All(background)(func(_ *stripe.V2CoreEventDestination, err error) bool {
			failed = err
			count++
			return err == nil
		})
		return strconv.Itoa(count), failed
	})
	step("v2-missing", func(string) (string, error) {
		_, err := client.V2CoreEventDestinations.Retrieve(background, "ed_none", nil)
		return "", err
	})
	step("v2-refused", func(string) (string, error) {
		_, err := client.V2CoreEventDestinations.Disable(background, "ed_none", nil)
		return "", err
	})
	step("killed-on-its-way", by(os.Getenv("KILLME"), 110))
	step("killed-after", by(os.Getenv("KILLME"), 111))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if stage := lines.Text(); stage == "calls" {
			calls()
		} else {
			step(stage, func(tag string) (string, error) {
				params := &stripe.CustomerCreateParams{}
				params.AddMetadata("step", tag)
				_, err := client.V1Customers.Create(background, params)
				return "", err
			})
		}
		fmt.Println(`{"step":"end"}`)
	}
}
