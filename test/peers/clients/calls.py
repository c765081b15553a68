"""Calls that an agent's tests make, by the stripe-python that PYTHONPATH leads to.

Prints a line for each: its name, a tab, "ok" or what went wrong.
"""

import json
import os

import stripe

stripe.api_base = stripe.upload_api_base = os.environ["STRIPE_BASE"]
stripe.api_key = os.environ["STRIPE_KEY"]
stripe.max_network_retries = 0
made = {}
# The newest versions of the API choose the methods themselves.
methods = {} if os.environ.get("STRIPE_NEWEST") else {"payment_method_types": ["card"]}


def customers_create():
    customer = stripe.Customer.create(
        email="py@example.com",
        metadata={"order": "17"},
        payment_method="pm_card_visa",
        invoice_settings={"default_payment_method": "pm_card_visa"},
    )
    made["customer"] = customer.id
    return customer.metadata["order"] == "17" and isinstance(customer.created, int) and customer.livemode is False


def charges_create():
    charge = stripe.Charge.create(amount=900, currency="usd", source="tok_visa")
    made["charge"] = charge.id
    return charge.amount == 900 and charge.paid is True


def refunds_create():
    refund = stripe.Refund.create(charge=made["charge"], amount=400)
    return refund.amount == 400 and refund.charge == made["charge"]


def charges_retrieve():
    return stripe.Charge.retrieve(made["charge"], expand=["customer"]).amount_refunded == 400


def prices_create():
    product = stripe.Product.create(name="Gold")
    price = stripe.Price.create(
        currency="usd", product=product.id, recurring={"interval": "month", "interval_count": 3}, unit_amount=2500
    )
    made["price"] = price.id
    return price.unit_amount == 2500 and price.recurring.interval_count == 3 and price.product == product.id


def subscriptions_create():
    subscription = stripe.Subscription.create(
        customer=made["customer"], items=[{"price": made["price"], "quantity": 2}], cancel_at_period_end=True
    )
    made["subscription"] = subscription.id
    item = subscription["items"]["data"][0]
    return item["quantity"] == 2 and item["price"]["id"] == made["price"] and subscription.cancel_at_period_end is True


def subscriptions_cancel():
    return stripe.Subscription.cancel(made["subscription"]).status == "canceled"


def checkout_sessions_create():
    session = stripe.checkout.Session.create(
        mode="payment",
        success_url="https://example.com/ok",
        cancel_url="https://example.com/no",
        line_items=[
            {
                "quantity": 2,
                "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "T-shirt"}},
            }
        ],
        **methods,
    )
    return session.id.startswith("cs_test_") and isinstance(session.url, str) and session.status == "open"


def payment_intents_create():
    intent = stripe.PaymentIntent.create(
        amount=1200, currency="eur", payment_method="pm_card_visa", confirm=True, **methods
    )
    return intent.status == "succeeded" and intent.amount_received == 1200


def coupons_create():
    coupon = stripe.Coupon.create(duration="once", percent_off=12.5)
    # Decimals of the newer majors are Decimal.
    return float(coupon.percent_off) == 12.5 and coupon.valid is True


def invoices_create():
    return stripe.Invoice.create(customer=made["customer"]).customer == made["customer"]


def customers_list():
    return len(list(stripe.Customer.list(limit=1).auto_paging_iter())) == 1


def customers_update():
    return stripe.Customer.modify(made["customer"], name="Ada").name == "Ada"


def customers_delete():
    return stripe.Customer.delete(made["customer"]).deleted is True


def payouts_create_is_forbidden():
    refusal = getattr(stripe, "PermissionError", None) or stripe.error.PermissionError
    try:
        stripe.Payout.create(amount=1, currency="usd")
    except refusal as error:
        return error.http_status == 403 and error.error.code == "more_permissions_required"
    return False


for work in (
    customers_create,
    charges_create,
    refunds_create,
    charges_retrieve,
    prices_create,
    subscriptions_create,
    subscriptions_cancel,
    checkout_sessions_create,
    payment_intents_create,
    coupons_create,
    invoices_create,
    customers_list,
    customers_update,
    customers_delete,
    payouts_create_is_forbidden,
):
    try:
        said = "ok" if work() else "the answer is not as it should be"
    except Exception as error:  # what a client throws is what the test is to show
        said = f"{type(error).__name__}: {error}"
    print(f"{work.__name__.replace('_', ' ')}\t{json.dumps(said)}")
