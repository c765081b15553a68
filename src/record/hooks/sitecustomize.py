"""Loaded into a recorded Python process before its own code (it lies on PYTHONPATH).

It notes each call to Stripe that leaves by http.client (requests, urllib3, urllib, and with them stripe-python)
or by httpx: method, path without ids, names of parameters, status and code; never a value, an id or a key.
It changes nothing of a call, and never makes one fail. A sitecustomize of the user's own is run as well.
"""

import base64
import json
import os
import re
import sys

_FILE = os.environ.get("KEYAUDIT_RECORD_NOTES")
_HERE = os.path.dirname(os.path.abspath(__file__))
_STRIPE = re.compile(r"(^|\.)stripe\.com(:\d+)?$", re.I)
_CODE = re.compile(r"^[a-z]+(_[a-z]+)+$")
_MOST = 1_048_576


def _run_the_users_own():
    import importlib.machinery
    import importlib.util

    path = [one for one in sys.path if os.path.abspath(one or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def _opened():
    if not _FILE:
        return None
    try:
        # Appended, never made: a notes file that is gone means that nobody records any more.
        return os.open(_FILE, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return None


_fd = _opened()


def _read_words():
    """Words of Stripe's own; any other text may be an id, a name or a key, and is not kept."""
    try:
        with open(os.path.join(os.path.dirname(_FILE), "words.json"), encoding="utf-8") as file:
            return {name: frozenset(words) for name, words in json.load(file).items()}
    except (OSError, ValueError):
        return {"segments": frozenset(), "parameters": frozenset(), "fields": frozenset()}


_words = {} if _fd is None else _read_words()


def _note(value):
    try:
        os.write(_fd, (json.dumps(value) + "\n").encode())
    except Exception:  # noqa: BLE001 - the agent's work goes on
        pass


def _is_stripe(host, authorization):
    if _STRIPE.search(host or ""):
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


def _keep(name, value, money):
    if name == "amount" and re.match(r"^\d{1,15}$", value):
        money["amount"] = int(value)
    if name == "currency" and re.match(r"^[A-Za-z]{3}$", value):
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


def _facts(method, target, headers, body):
    path, _, query = target.partition("?")
    names, expand, money = [], [], {}
    kind = headers.get("content-type", "")
    text = body[:_MOST].decode("utf-8", "replace")
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


def _code(body):
    try:
        error = json.loads(body).get("error")
        code = error.get("code") or error.get("type")
        return code if isinstance(code, str) and _CODE.match(code) and len(code) <= 60 else None
    except Exception:  # noqa: BLE001
        return None


def _text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _watch_http_client():
    import http.client as client

    connection = client.HTTPConnection
    putrequest, putheader = connection.putrequest, connection.putheader
    send, getresponse = connection.send, connection.getresponse

    def watched_putrequest(self, method, url, *args, **kwargs):
        self._keyaudit = {"method": method, "url": url, "headers": {}, "body": b"", "in_body": False}
        return putrequest(self, method, url, *args, **kwargs)

    def watched_putheader(self, header, *values):
        call = getattr(self, "_keyaudit", None)
        if call is not None:
            call["headers"][_text(header).lower()] = ",".join(_text(value) for value in values)
        return putheader(self, header, *values)

    def watched_send(self, data):
        call = getattr(self, "_keyaudit", None)
        # The head is sent first, as one block that the connection has made.
        if call is not None:
            if not call["in_body"]:
                call["in_body"] = True
                if isinstance(data, bytes):
                    call["body"] += data.partition(b"\r\n\r\n")[2]
            elif isinstance(data, (bytes, bytearray)) and len(call["body"]) < _MOST:
                call["body"] += bytes(data)
        return send(self, data)

    def watched_getresponse(self):
        call, self._keyaudit = getattr(self, "_keyaudit", None), None
        try:
            response = getresponse(self)
        except Exception:
            _note_call(self, call, {"failed": True})
            raise
        status = response.status
        if status < 400:
            _note_call(self, call, {"status": status})
        else:
            _note_when_read(self, call, response, status)
        return response

    def _note_call(self, call, answer):
        try:
            if call is None:
                return
            headers = call["headers"]
            host = headers.get("host", self.host)
            if not _is_stripe(host, headers.get("authorization")):
                return
            target = re.sub(r"^https?://[^/]*", "", call["url"])
            _note({**_facts(call["method"], target, headers, call["body"]), **answer})
        except Exception:  # noqa: BLE001
            pass

    def _note_when_read(self, call, response, status):
        # The reader's own bytes are looked at as they pass; reading here would take them away.
        seen = []
        noted = []

        def done():
            if not noted:
                noted.append(True)
                _note_call(self, call, {"status": status, "code": _code(b"".join(seen))})

        read, close = response.read, response.close

        def watched_read(*args, **kwargs):
            data = read(*args, **kwargs)
            if data and sum(map(len, seen)) < _MOST:
                seen.append(data)
            if not data or response.isclosed():
                done()
            return data

        def watched_close():
            done()
            return close()

        response.read, response.close = watched_read, watched_close

    connection.putrequest, connection.putheader = watched_putrequest, watched_putheader
    connection.send, connection.getresponse = watched_send, watched_getresponse


def _watch_httpx(module):
    def note(request, answer):
        try:
            headers = {name.lower(): value for name, value in request.headers.items()}
            url = request.url
            if _is_stripe(url.host, headers.get("authorization")):
                body = getattr(request, "_content", b"") or b""
                target = url.raw_path.decode("ascii", "replace")
                facts = _facts(request.method, target, headers, body)
                _note({**facts, **answer})
        except Exception:  # noqa: BLE001
            pass

    def answer_of(response):
        code = _code(response.content) if response.status_code >= 400 and response.is_closed else None
        return {"status": response.status_code, "code": code}

    send, send_async = module.Client.send, module.AsyncClient.send

    def watched(self, request, *args, **kwargs):
        try:
            response = send(self, request, *args, **kwargs)
        except Exception:
            note(request, {"failed": True})
            raise
        note(request, answer_of(response))
        return response

    async def watched_async(self, request, *args, **kwargs):
        try:
            response = await send_async(self, request, *args, **kwargs)
        except Exception:
            note(request, {"failed": True})
            raise
        note(request, answer_of(response))
        return response

    module.Client.send, module.AsyncClient.send = watched, watched_async


class _AfterImport:
    """Watches for the import of modules that are patched only where they are used."""

    patches = {"http.client": lambda _module: _watch_http_client(), "httpx": _watch_httpx}

    def find_spec(self, name, path=None, target=None):
        patch = self.patches.get(name)
        if patch is None:
            return None
        import importlib.util

        self.patches = {one: way for one, way in self.patches.items() if one != name}
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            try:
                patch(module)
            except Exception:  # noqa: BLE001
                _note({"unwatched": name})

        spec.loader.exec_module = exec_module
        return spec


if _fd is not None:
    _note({"hello": "python", "version": "%d.%d.%d" % sys.version_info[:3]})
    sys.meta_path.insert(0, _AfterImport())
_run_the_users_own()
