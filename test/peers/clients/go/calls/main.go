// Calls that an agent's tests make, by one major of stripe-go; prints a line for each: its name, a tab, "ok" or what
// went wrong. The import is replaced by each major that is tried.
package main

import (
	"errors"
	"fmt"
	"os"

	stripe "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/client"
)

func main() {
	base, key := os.Getenv("STRIPE_BASE"), os.Getenv("STRIPE_KEY")
	retries := int64(0)
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               &base,
		MaxNetworkRetries: &retries,
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	api := client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})

	var customer *stripe.Customer
	var charge *stripe.Charge
	var product *stripe.Product
	var price *stripe.Price
	var subscription *stripe.Subscription

	step("customers.create", func() (err error) {
		params := &stripe.CustomerParams{Email: stripe.String("go@example.com"), Name: stripe.String("Go")}
		params.PaymentMethod = stripe.String("pm_card_visa")
		params.InvoiceSettings = &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String("pm_card_visa")}
		params.AddMetadata("order", "17")
		customer, err = api.Customers.New(params)
		return either(err, customer.Metadata["order"] == "17" && customer.Created > 0 && !customer.Livemode)
	})
	step("charges.create", func() (err error) {
		params := &stripe.ChargeParams{Amount: stripe.Int64(900), Currency: stripe.String("usd")}
		if err := params.SetSource("tok_visa"); err != nil {
			return err
		}
		charge, err = api.Charges.New(params)
		return either(err, charge.Amount == 900 && charge.Paid && charge.Captured)
	})
	step("refunds.create", func() error {
		params := &stripe.RefundParams{Charge: stripe.String(charge.ID), Amount: stripe.Int64(400)}
		refund, err := api.Refunds.New(params)
		return either(err, refund.Amount == 400 && refund.Charge.ID == charge.ID)
	})
	step("charges.retrieve", func() error {
		params := &stripe.ChargeParams{}
		params.AddExpand("customer")
		found, err := api.Charges.Get(charge.ID, params)
		return either(err, found.AmountRefunded == 400)
	})
	step("products.create", func() (err error) {
		product, err = api.Products.New(&stripe.ProductParams{Name: stripe.String("Gold")})
		return either(err, product.Active)
	})
	step("prices.create", func() (err error) {
		price, err = api.Prices.New(&stripe.PriceParams{
			Currency:   stripe.String("usd"),
			Product:    stripe.String(product.ID),
			Recurring:  &stripe.PriceRecurringParams{Interval: stripe.String("month"), IntervalCount: stripe.Int64(3)},
			UnitAmount: stripe.Int64(2500),
		})
		return either(err, price.UnitAmount == 2500 && price.Recurring.IntervalCount == 3 && price.Product.ID == product.ID)
	})
	step("subscriptions.create", func() (err error) {
		subscription, err = api.Subscriptions.New(&stripe.SubscriptionParams{
			Customer:          stripe.String(customer.ID),
			CancelAtPeriodEnd: stripe.Bool(true),
			Items:             []*stripe.SubscriptionItemsParams{{Price: stripe.String(price.ID), Quantity: stripe.Int64(2)}},
		})
		return either(err, len(subscription.Items.Data) == 1 && subscription.Items.Data[0].Quantity == 2 &&
			subscription.Items.Data[0].Price.ID == price.ID && subscription.CancelAtPeriodEnd)
	})
	step("subscriptions.cancel", func() error {
		gone, err := api.Subscriptions.Cancel(subscription.ID, nil)
		return either(err, gone.Status == stripe.SubscriptionStatusCanceled)
	})
	step("checkout.sessions.create", func() error {
		session, err := api.CheckoutSessions.New(&stripe.CheckoutSessionParams{
			Mode:       stripe.String("payment"),
			SuccessURL: stripe.String("https://example.com/ok"),
			CancelURL:  stripe.String("https://example.com/no"),
			LineItems: []*stripe.CheckoutSessionLineItemParams{{
				Quantity: stripe.Int64(2),
				PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
					Currency:    stripe.String("usd"),
					UnitAmount:  stripe.Int64(500),
					ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("T-shirt")},
				},
			}},
		})
		return either(err, session.URL != "" && session.ID != "")
	})
	step("paymentIntents.create", func() error {
		intent, err := api.PaymentIntents.New(&stripe.PaymentIntentParams{
			Amount:             stripe.Int64(1200),
			Currency:           stripe.String("eur"),
			PaymentMethodTypes: []*string{stripe.String("card")},
			PaymentMethod:      stripe.String("pm_card_visa"),
			Confirm:            stripe.Bool(true),
		})
		return either(err, intent.Status == stripe.PaymentIntentStatusSucceeded && intent.AmountReceived == 1200)
	})
	step("coupons.create", func() error {
		coupon, err := api.Coupons.New(&stripe.CouponParams{
			Duration: stripe.String("once"), PercentOff: stripe.Float64(12.5),
		})
		return either(err, coupon.PercentOff == 12.5 && coupon.Valid)
	})
	step("invoices.create", func() error {
		invoice, err := api.Invoices.New(&stripe.InvoiceParams{Customer: stripe.String(customer.ID)})
		return either(err, invoice.Customer.ID == customer.ID)
	})
	step("customers.list", func() error {
		params := &stripe.CustomerListParams{}
		params.Limit = stripe.Int64(1)
		count := 0
		list := api.Customers.List(params)
		for list.Next() {
			count++
		}
		return either(list.Err(), count == 1)
	})
	step("customers.update", func() error {
		changed, err := api.Customers.Update(customer.ID, &stripe.CustomerParams{Name: stripe.String("Gopher")})
		return either(err, changed.Name == "Gopher")
	})
	step("customers.del", func() error {
		gone, err := api.Customers.Del(customer.ID, nil)
		return either(err, gone.Deleted)
	})
	step("payouts.create is forbidden", func() error {
		_, err := api.Payouts.New(&stripe.PayoutParams{Amount: stripe.Int64(1), Currency: stripe.String("usd")})
		var refused *stripe.Error
		if !errors.As(err, &refused) {
			return fmt.Errorf("no refusal: %v", err)
		}
		return either(nil, refused.HTTPStatusCode == 403 && refused.Code == "more_permissions_required")
	})
}

func step(name string, work func() error) {
	said := "ok"
	func() {
		defer func() {
			if cause := recover(); cause != nil {
				said = fmt.Sprint("panic: ", cause)
			}
		}()
		if err := work(); err != nil {
			said = err.Error()
		}
	}()
	fmt.Printf("%s\t%q\n", name, said)
}

func either(err error, isRight bool) error {
	if err == nil && !isRight {
		return errors.New("the answer is not as it should be")
	}
	return err
}
