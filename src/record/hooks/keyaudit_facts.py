"""What is kept of a call: words of Stripe's own, and never a value, an id or a key. sitecustomize.py loads it."""

import base64
import json
import os
import re

FILE = os.environ.get("KEYAUDIT_RECORD_NOTES")
# What notes calls besides, between this process and Stripe: calls to it are not noted twice.
SERVER = os.environ.get("KEYAUDIT_RECORD_SERVER", "")
STRIPE = re.compile(r"(^|\.)stripe\.com(:\d+)?$", re.I)
MOST = 1_048_576


def read_words():
    """Words of Stripe's own; any other text may be an id, a name or a key, and is not kept."""
    try:
        with open(os.path.join(os.path.dirname(FILE), "words.json"), encoding="utf-8") as file:
            return {name: frozenset(words) for name, words in json.load(file).items()}
    except (OSError, TypeError, ValueError):
        return dict.fromkeys(("segments", "parameters", "fields", "codes", "currencies"), frozenset())


_words = read_words()


def is_stripe(host, authorization):
    if SERVER and host == SERVER.partition("://")[2]:
        return False
    if STRIPE.search(host or ""):
        return True
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode("latin-1")
        except Exception:  # noqa: BLE001
            return False
    elif scheme.lower() != "bearer":
        return False
    return re.match(r"(sk|rk|rkcs)_", value.strip()) is not None


def _without_id(segment):
    return segment if segment in _words["segments"] else "{id}"


def _is_expand_path(path):
    return (
        isinstance(path, str) and len(path) <= 200 and all(one in _words["fields"] for one in path.split("."))
    )


def _top(name):
    top = name.split("[", 1)[0]
    return top if top in _words["parameters"] else "(other)"


AMOUNTS = frozenset(("amount", "amount_to_capture", "amount_to_confirm"))


def _keep(name, value, money):
    if name in AMOUNTS and re.match(r"^\d{1,15}$", value):
        money["amount"] = int(value)
    if name == "currency" and value.lower() in _words["currencies"]:
        money["currency"] = value.lower()


def _read(text, names, expand, money):
    from urllib.parse import parse_qsl

    for name, value in parse_qsl(text, keep_blank_values=True):
        top = _top(name)
        if top == "expand":
            if _is_expand_path(value):
                expand.append(value)
            continue
        names.append(top)
        _keep(name, value, money)


def _read_json(text, names, expand, money):
    try:
        value = json.loads(text)
    except ValueError:
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name in ("expand", "include"):
            expand.extend(path for path in inner if _is_expand_path(path))
            continue
        names.append(_top(name))
        if name == "amount" and isinstance(inner, dict):
            _keep("amount", str(inner.get("value")), money)
            _keep("currency", str(inner.get("currency")), money)
        else:
            _keep(name, str(inner), money)


def facts_of(method, target, headers, body):
    path, _, query = target.partition("?")
    names, expand, money = [], [], {}
    kind = headers.get("content-type", "")
    text = body[:MOST].decode("utf-8", "replace")
    _read(query, names, expand, money)
    if "json" in kind.lower():
        _read_json(text, names, expand, money)
    elif "multipart" in kind.lower():
        names.extend(_top(name) for name in re.findall(r'form-data; name="([^"\r\n]{1,200})"', text))
    else:
        _read(text, names, expand, money)
    return {
        "method": method.upper(),
        "path": "/".join(_without_id(one) for one in path.split("/")),
        "account": "stripe-account" in headers,
        "names": list(dict.fromkeys(names))[:100],
        "expand": list(dict.fromkeys(expand))[:20],
        **money,
    }


def code_in(body):
    try:
        error = json.loads(body).get("error")
        code = error.get("code") or error.get("type")
        return code if isinstance(code, str) and code in _words["codes"] else None
    except Exception:  # noqa: BLE001
        return None


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
