"""The samples and tests of the Python guide, as stripe-python's current version can run them.

Driven by python.test.ts: the five keys stand in their variables, KEYAUDIT_TEST_API_BASE is the sandbox, and
KEYAUDIT_TEST_SECRET_KEY its secret key, with which objects are made. What the guide has and stripe-python
has not is in test_what_the_guide_has_and_stripe_python_has_not.
"""

import asyncio
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import stripe

stripe.api_base = os.environ["KEYAUDIT_TEST_API_BASE"]
stripe.upload_api_base = stripe.api_base
stripe.max_network_retries = 0
SECRET = os.environ["KEYAUDIT_TEST_SECRET_KEY"]
REFUND = os.environ["STRIPE_REFUND_AGENT_KEY"]
ANALYTICS = os.environ["STRIPE_ANALYTICS_KEY"]
SUBSCRIPTION = os.environ["STRIPE_SUBSCRIPTION_KEY"]
CAPTURE = os.environ["STRIPE_CAPTURE_KEY"]
DISPUTE = os.environ["STRIPE_DISPUTE_KEY"]
EXPIRED = os.environ["KEYAUDIT_TEST_EXPIRED_KEY"]


@pytest.fixture(autouse=True)
def no_global_key():
    """Each test says which key it uses."""
    stripe.api_key = None
    yield
    stripe.api_key = None


def a_charge(**params) -> stripe.Charge:
    params = {"amount": 500, "currency": "usd", "source": "tok_visa", **params}
    return stripe.Charge.create(**params, api_key=SECRET)


def a_customer() -> stripe.Customer:
    return stripe.Customer.create(name="Jane Smith", api_key=SECRET)


# Setting up: a key for the module, or one for each call.


def test_key_of_the_module():
    charge = a_charge()
    stripe.api_key = REFUND
    assert stripe.Charge.retrieve(charge.id).amount == 500


def get_customer(customer_id: str, key: str) -> stripe.Customer:
    return stripe.Customer.retrieve(customer_id, api_key=key)


def test_key_of_a_call_wins_over_that_of_the_module():
    customer = a_customer()
    stripe.api_key = "rk_test_noSuchKeyAnywhere0"
    assert get_customer(customer.id, CAPTURE).name == "Jane Smith"
    with pytest.raises(stripe.AuthenticationError):
        stripe.Customer.retrieve(customer.id)


# 1. Refund agent.


def issue_refund(charge_id: str, amount_cents: int | None = None) -> stripe.Refund:
    params: dict = {"charge": charge_id}
    if amount_cents is not None:
        params["amount"] = amount_cents
    return stripe.Refund.create(**params)


def get_charge(charge_id: str) -> stripe.Charge:
    return stripe.Charge.retrieve(charge_id)


def test_refund_agent():
    charge = a_charge()
    stripe.api_key = REFUND
    assert issue_refund(charge.id, 200).amount == 200
    assert issue_refund(charge.id).amount == 300
    assert get_charge(charge.id).refunded is True
    with pytest.raises(stripe.PermissionError):
        stripe.PaymentIntent.create(amount=1000, currency="usd")
    with pytest.raises(stripe.PermissionError):
        stripe.Subscription.modify("sub_placeholder", cancel_at_period_end=True)


# 2. Analytics agent.


def get_revenue_last_30_days() -> int:
    since = int((datetime.now(timezone.utc) - timedelta(days=30)).timestamp())
    total = 0
    for charge in stripe.Charge.list(created={"gte": since}, limit=100).auto_paging_iter():
        if charge.paid and not charge.refunded:
            total += charge.amount
    return total


def test_analytics_agent_sums_over_pages():
    stripe.api_key = ANALYTICS
    before = get_revenue_last_30_days()
    for _ in range(120):
        a_charge(amount=7)
    assert get_revenue_last_30_days() == before + 120 * 7


def test_analytics_key_cannot_create_refund():
    """Verbatim from the guide."""
    stripe.api_key = ANALYTICS
    with pytest.raises(stripe.error.PermissionError) as exc_info:
        stripe.Refund.create(charge="ch_test_placeholder")
    assert exc_info.value.http_status == 403


def test_analytics_key_can_list_charges():
    """Verbatim from the guide."""
    stripe.api_key = ANALYTICS
    charges = stripe.Charge.list(limit=1)
    assert isinstance(charges, stripe.ListObject)


def test_analytics_key_cannot_create_charge():
    """Verbatim from the guide."""
    stripe.api_key = ANALYTICS
    with pytest.raises(stripe.error.PermissionError):
        stripe.PaymentIntent.create(
            amount=1000,
            currency="usd",
        )


# 3. Subscription manager.


def cancel_subscription(subscription_id: str, at_period_end: bool = True) -> stripe.Subscription:
    return stripe.Subscription.modify(subscription_id, cancel_at_period_end=at_period_end)


def apply_coupon(subscription_id: str, coupon_id: str) -> stripe.Subscription:
    # The guide passes coupon=, which the API has replaced by discounts.
    return stripe.Subscription.modify(subscription_id, discounts=[{"coupon": coupon_id}])


def test_subscription_manager():
    customer = a_customer()
    product = stripe.Product.create(name="Plan", api_key=SECRET)
    price = stripe.Price.create(
        currency="usd", unit_amount=900, product=product.id, recurring={"interval": "month"}, api_key=SECRET
    )
    made = stripe.Subscription.create(customer=customer.id, items=[{"price": price.id}], api_key=SECRET)
    coupon = stripe.Coupon.create(percent_off=10, api_key=SECRET)
    stripe.api_key = SUBSCRIPTION
    assert cancel_subscription(made.id).cancel_at_period_end is True
    apply_coupon(made.id, coupon.id)
    assert stripe.Coupon.retrieve(coupon.id).percent_off == 10
    with pytest.raises(stripe.PermissionError):
        stripe.Charge.create(amount=100, currency="usd", source="tok_visa")


# 4. Payment capture agent.


def create_and_confirm_payment(
    amount_cents: int, currency: str, customer_id: str, payment_method_id: str
) -> stripe.PaymentIntent:
    return stripe.PaymentIntent.create(
        amount=amount_cents,
        currency=currency,
        customer=customer_id,
        payment_method=payment_method_id,
        confirm=True,
        off_session=True,
    )


def test_payment_capture_agent():
    customer = a_customer()
    stripe.api_key = CAPTURE
    intent = create_and_confirm_payment(1000, "usd", customer.id, "pm_card_visa")
    assert intent.status == "succeeded"
    assert stripe.Charge.retrieve(str(intent.latest_charge)).amount == 1000
    whole = stripe.PaymentIntent.retrieve(intent.id, expand=["latest_charge", "customer", "payment_method"])
    assert (whole.latest_charge.amount, whole.customer.name) == (1000, "Jane Smith")
    with pytest.raises(stripe.PermissionError, match="balance_read"):
        stripe.PaymentIntent.retrieve(intent.id, expand=["latest_charge.balance_transaction"])
    with pytest.raises(stripe.PermissionError):
        stripe.Refund.create(payment_intent=intent.id)
    with pytest.raises(stripe.PermissionError):
        stripe.Subscription.list()


# 5. Dispute handler.


def submit_dispute_evidence(dispute_id: str, evidence: dict) -> stripe.Dispute:
    return stripe.Dispute.modify(dispute_id, evidence=evidence, submit=True)


def test_dispute_handler_uploads_and_submits(tmp_path):
    (tmp_path / "receipt.txt").write_bytes(b"paid in full")
    charge = a_charge(source="tok_createDispute")
    stripe.api_key = DISPUTE
    dispute = next(one for one in stripe.Dispute.list().auto_paging_iter() if one.charge == charge.id)
    with open(tmp_path / "receipt.txt", "rb") as file:
        receipt = stripe.File.create(purpose="dispute_evidence", file=file)
    assert (receipt.size, receipt.type) == (len(b"paid in full"), "txt")
    submitted = submit_dispute_evidence(
        dispute.id,
        {
            "customer_name": "Jane Smith",
            "customer_email_address": "jane@example.com",
            "product_description": "Annual subscription",
            "shipping_documentation": receipt.id,
        },
    )
    assert submitted.status == "under_review"
    assert submitted.evidence["shipping_documentation"] == receipt.id
    with pytest.raises(stripe.PermissionError):
        stripe.PaymentMethod.list()


# Async agents and threads: the key goes with the call.


async def refund_charge(charge_id: str, key: str) -> stripe.Refund:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, lambda: stripe.Refund.create(charge=charge_id, api_key=key))


def test_refund_in_an_executor():
    charge = a_charge()
    assert asyncio.run(refund_charge(charge.id, REFUND)).status == "succeeded"


def test_keys_do_not_mix_in_threads():
    charge = a_charge()
    barrier = threading.Barrier(8)

    def ask(index: int) -> str:
        barrier.wait()
        answers = set()
        for _ in range(10):
            try:
                stripe.Dispute.list(limit=1, api_key=[DISPUTE, REFUND][index % 2])
                answers.add("allowed")
            except stripe.PermissionError:
                answers.add("forbidden")
        return " ".join(sorted(answers))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert found == ["allowed", "forbidden"] * 4
    assert charge.id


def test_keys_do_not_mix_in_asyncio():
    """In the place of the guide's AsyncStripe: a client for each key."""
    base = {"api": stripe.api_base}
    dispute = stripe.StripeClient(DISPUTE, base_addresses=base)
    refund = stripe.StripeClient(REFUND, base_addresses=base)

    async def ask(client: stripe.StripeClient) -> str:
        try:
            await client.v1.disputes.list_async({"limit": 1})
            return "allowed"
        except stripe.PermissionError as error:
            return f"forbidden {error.http_status}"

    async def all_at_once() -> list:
        return await asyncio.gather(*(ask([dispute, refund][index % 2]) for index in range(40)))

    assert asyncio.run(all_at_once()) == ["allowed", "forbidden 403"] * 20


# Handling 403s.

log = logging.getLogger(__name__)


def safe_create_refund(charge_id: str) -> stripe.Refund | None:
    try:
        return stripe.Refund.create(charge=charge_id)
    except stripe.error.PermissionError as e:
        log.error("Stripe permission denied", extra={"charge_id": charge_id, "stripe_error": str(e)})
        raise
    except stripe.error.RateLimitError:
        raise
    except stripe.error.StripeError as e:
        log.error("Stripe API error", extra={"error": str(e)})
        raise


def test_a_refusal_is_logged_and_raised(caplog):
    stripe.api_key = ANALYTICS
    with pytest.raises(stripe.PermissionError) as caught:
        safe_create_refund("ch_test_placeholder")
    assert [record.message for record in caplog.records if record.name == __name__] == [
        "Stripe permission denied"
    ]
    assert caught.value.error.code == "more_permissions_required"
    assert caught.value.request_id.startswith("req_")
    assert "charge_write" in str(caught.value)
    assert ANALYTICS not in str(caught.value)


def test_another_error_is_no_refusal():
    stripe.api_key = REFUND
    with pytest.raises(stripe.InvalidRequestError) as caught:
        safe_create_refund("ch_test_placeholder")
    assert caught.value.http_status == 404
    assert caught.value.code == "resource_missing"


# Questions and answers.


def test_an_expired_key_is_no_refusal():
    """The guide says 403; it is 401."""
    with pytest.raises(stripe.AuthenticationError) as caught:
        stripe.Charge.list(limit=1, api_key=EXPIRED)
    assert caught.value.http_status == 401
    assert caught.value.error.code == "api_key_expired"


def test_restricted_keys_by_the_api():
    made = stripe.StripeClient(SECRET, base_addresses={"api": stripe.api_base}).raw_request(
        "post", "/v1/restricted_keys", name="reader", restrictions={"charges": "read"}
    )
    secret = stripe.StripeClient(SECRET).deserialize(made, api_mode="V1")["secret"]
    assert stripe.Charge.list(limit=1, api_key=secret).object == "list"
    with pytest.raises(stripe.PermissionError):
        stripe.Customer.list(limit=1, api_key=secret)


def test_a_new_key_is_in_force_at_the_next_call():
    stripe.api_key = REFUND
    with pytest.raises(stripe.PermissionError):
        stripe.Dispute.list(limit=1)
    stripe.api_key = DISPUTE
    assert stripe.Dispute.list(limit=1).object == "list"


def test_what_the_guide_has_and_stripe_python_has_not():
    """Should one of these appear, its sample belongs into this file."""
    assert not hasattr(stripe, "AsyncStripe")
    assert not hasattr(stripe, "restricted_keys")
    with pytest.raises(stripe.InvalidRequestError, match="coupon"):
        stripe.Subscription.modify("sub_placeholder", coupon="half", api_key=SECRET)
