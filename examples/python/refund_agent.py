"""A refund agent's tool: one client for one key, refusals raised and never retried, rate limits retried.

Run it by: keyaudit exec refund-agent -- python refund_agent.py ch_…
"""

import json
import logging
import os
import random
import re
import sys
import time

import stripe

log = logging.getLogger("refund_agent")
MOST_ATTEMPTS = 5


def create_client(variable: str) -> stripe.StripeClient:
    """The client of one agent. The key comes from this agent's own variable; stripe.api_key is never set."""
    key = os.environ.get(variable, "")
    if not key.startswith("rk_"):
        raise SystemExit(f"{variable} must hold a restricted key (rk_...).")
    base = os.environ.get("KEYAUDIT_API_BASE")  # set by "keyaudit exec" on its sandbox
    addresses = {"base_addresses": {"api": base}} if base else {}
    # Retried below, where a refusal is told from a rate limit.
    return stripe.StripeClient(key, max_network_retries=0, **addresses)


class PermissionRefused(Exception):
    """A mistake in the key's profile or in the agent: logged and raised, never retried."""

    def __init__(self, operation: str, error: stripe.PermissionError):
        found = re.search(r"'(?:rak_)?(\w+_(?:read|write))'", str(error))
        self.operation = operation
        self.permission = found.group(1) if found else "unknown"
        super().__init__(f"Stripe refused {operation}: it needs {self.permission} (request {error.request_id}).")


def call_stripe(operation, call):
    """Calls Stripe; only a rate limit or a fault of the network or of Stripe is tried again, with growing pauses."""
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            return call()
        except stripe.PermissionError as error:
            refused = PermissionRefused(operation, error)
            log.error(
                json.dumps(
                    {"event": "stripe_permission_refused", "operation": operation, "permission": refused.permission}
                )
            )
            raise refused from error
        except (stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError) as error:
            transient = type(error) in (stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError)
            if not transient or attempt == MOST_ATTEMPTS:
                raise
            time.sleep(random.random() * min(8.0, 0.25 * 2**attempt))


def refund(client: stripe.StripeClient, charge: str, decision: str):
    """Refunds a charge once. The same decision has the same idempotency key, so asking three times refunds once:
    no restricted key limits how often or how much."""
    return call_stripe(
        "refunds.create",
        lambda: client.v1.refunds.create(
            {"charge": charge}, options={"idempotency_key": f"refund-{charge}-{decision}"}
        ),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    made = refund(create_client("STRIPE_REFUND_AGENT_KEY"), sys.argv[1], (sys.argv[2:] or ["customer-request"])[0])
    print(json.dumps({"refund": made.id, "amount": made.amount, "status": made.status}))
