"""What an agent on stripe-python gets from the guard: a JSON line for each call, its step, class, code and status."""

import io
import json
import os
import sys
import threading

import stripe

env = os.environ
BASE, KEY, CHARGE, EURO, CLIENT = env["BASE"], env["KEY"], env["CHARGE"], env["EURO"], env["CLIENT"]


def client_of(key, base=BASE, retries=1, **more):
    addresses = {"api": base, "files": base}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=retries, **more)


client, patient = client_of(KEY), client_of(KEY, retries=6)


def step(name, work):
    line = {"step": name}
    try:
        line.update({"class": "ok", "id": work({"step": f"{CLIENT}-{name}"})})
    except stripe.StripeError as error:
        line.update({"class": type(error).__name__, "status": error.http_status})
        line.update({"code": error.error and error.error.code, "message": error.user_message})
    print(json.dumps(line), flush=True)


def refund(amount, metadata=None, by=client, charge=CHARGE, **options):
    params = {"charge": charge, "amount": amount, "metadata": metadata or {}}
    return by.v1.refunds.create(params, options).id


def other_content(metadata):
    refund(102, idempotency_key=f"{CLIENT}-key")
    return refund(103, metadata, idempotency_key=f"{CLIENT}-key")


def in_flight(metadata):
    ids = set()
    def one():
        ids.add(refund(104, metadata, patient, idempotency_key=f"{CLIENT}-flight"))
    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ",".join(ids)


def upload(_):
    file = io.BytesIO(b"evidence")
    file.name = "a.txt"
    return client.v1.files.create({"purpose": "dispute_evidence", "file": file}).object


def count(pages):
    return str(sum(1 for _ in pages.auto_paging_iter()))


def calls():
    step("ok", lambda m: refund(101, m, client_of(KEY, f"{BASE}/stripe")))
    step("over-cap", lambda m: refund(999_999, m))
    step("not-allowed", lambda m: client.v1.charges.create({"amount": 5, "currency": "usd", "source": "tok_visa", "metadata": m}).id)
    step("no-currency", lambda m: refund(5, m, charge=EURO))
    step("repeated", lambda m: refund(101, m))
    step("amount-unknown", lambda m: refund(5, m, charge="ch_missing"))
    step("ambiguous", lambda m: refund(-1, m))
    step("unknown-operation", lambda m: client.raw_request("post", "/v1/ponies", metadata=m).object)
    step("other-content", other_content)
    step("in-flight", in_flight)
    step("answer-lost", lambda m: refund(105, m))
    step("stripe-cut", lambda m: refund(106, m))
    step("outcome-unknown", lambda m: refund(107, m))
    hasty = client_of(KEY, retries=6, http_client=stripe.RequestsClient(timeout=2))
    step("too-late", lambda m: refund(108, m, hasty))
    step("stripe-busy", lambda m: refund(109, m))
    step("killed", lambda m: refund(5, m, client_of(env["KILLED"])))
    step("no-run-key", lambda m: refund(5, m, client_of("rk_test_123")))
    step("expand", lambda m: client.v1.charges.retrieve(CHARGE, {"expand": ["customer"]}).customer.object)
    step("expand-refused", lambda m: client.v1.charges.retrieve(CHARGE, {"expand": ["balance_transaction"]}).id)
    step("pages", lambda m: count(client.v1.customers.list({"limit": 2})))
    step("file", upload)
    step("v2-pages", lambda m: count(client.v2.core.event_destinations.list({"limit": 1})))
    step("v2-missing", lambda m: client.v2.core.event_destinations.retrieve("ed_none").id)
    step("v2-refused", lambda m: client.v2.core.event_destinations.disable("ed_none").id)
    killed = client_of(env["KILLME"])
    step("killed-on-its-way", lambda m: refund(110, m, killed))
    step("killed-after", lambda m: refund(111, m, killed))


def create(name):
    step(name, lambda m: client.v1.customers.create({"metadata": m}).id)


for line in sys.stdin:
    stage = line.strip()
    calls() if stage == "calls" else create(stage)
    print(json.dumps({"step": "end"}), flush=True)
