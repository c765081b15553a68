"""The guide's five agents: its own functions, and the look-ups that its tables give each of them for a reason.

    python guide_agents.py AGENT CHARGE CUSTOMER

With STRIPE_CLIENT set a StripeClient carries the calls, else the key of the module. record-guide.test.ts drives it.
"""

import io
import os
import sys
from datetime import datetime, timedelta, timezone

import stripe

stripe.max_network_retries = 0
BASE, KEY = os.environ["KEYAUDIT_API_BASE"], os.environ["AGENT_KEY"]
_, AGENT, CHARGE, CUSTOMER = sys.argv
CLIENT = stripe.StripeClient(KEY, base_addresses={"api": BASE, "files": BASE}) if os.environ.get("STRIPE_CLIENT") else None
if CLIENT is None:
    stripe.api_key = KEY
    stripe.api_base = stripe.upload_api_base = BASE


def call(resource, method, *ids, **params):
    """One call by the client or by the module, whose names differ."""
    if CLIENT is None:
        return getattr(getattr(stripe, resource), method)(*ids, **params)
    service = {"File": "files", "BalanceTransaction": "balance_transactions", "PaymentIntent": "payment_intents",
               "PaymentMethod": "payment_methods"}.get(resource, resource.lower() + "s")
    verb = {"modify": "update"}.get(method, method)
    return getattr(getattr(CLIENT.v1, service), verb)(*ids, params)


def get_customer(customer_id):
    return call("Customer", "retrieve", customer_id)


def refund_agent():
    yield lambda: get_customer(CUSTOMER)
    yield lambda: call("Charge", "retrieve", CHARGE)
    yield lambda: call("Refund", "create", charge=CHARGE, amount=100)


def analytics():
    since = int((datetime.now(timezone.utc) - timedelta(days=30)).timestamp())
    yield lambda: sum(one.amount for one in call("Charge", "list", created={"gte": since}, limit=100).auto_paging_iter())
    for resource in ("Customer", "Invoice", "Subscription", "Refund", "BalanceTransaction"):
        yield lambda resource=resource: call(resource, "list", limit=100)


def subscription_manager():
    yield lambda: get_customer(CUSTOMER)
    yield lambda: call("Invoice", "list", customer=CUSTOMER, status="open")
    yield lambda: call("Coupon", "retrieve", "WELCOME")
    yield lambda: call("Subscription", "modify", "sub_1", discounts=[{"coupon": "WELCOME"}])
    yield lambda: call("Subscription", "modify", "sub_1", cancel_at_period_end=True)


def payment_capture():
    yield lambda: get_customer(CUSTOMER)
    yield lambda: call("PaymentMethod", "list", customer=CUSTOMER, type="card")
    yield lambda: call(
        "PaymentIntent", "create", amount=500, currency="usd", customer=CUSTOMER, payment_method="pm_card_visa",
        confirm=True, off_session=True,
    )
    yield lambda: call("Charge", "retrieve", CHARGE)


def dispute_handler():
    yield lambda: get_customer(CUSTOMER)
    yield lambda: call("Charge", "retrieve", CHARGE)
    yield lambda: call("File", "create", purpose="dispute_evidence", file=io.BytesIO(b"a receipt"))
    yield lambda: call("Dispute", "modify", "dp_1", evidence={"customer_name": "Jane Smith"}, submit=True)


for work in globals()[AGENT.replace("-", "_")]():
    try:
        print(type(work()).__name__)
    except stripe.StripeError as error:
        print(error.http_status, error.code)
