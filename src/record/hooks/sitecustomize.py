"""Loaded into a recorded Python process before its own code (it lies on PYTHONPATH).

It notes each call to Stripe that leaves by http.client (requests, urllib3, urllib, and with them stripe-python)
or by httpx: method, path without ids, names of parameters, status and code; never a value, an id or a key.
It changes nothing of a call, and never makes one fail. A sitecustomize of the user's own is run as well.
"""

import json
import os
import re
import sys

from keyaudit_aiohttp import watch_aiohttp
from keyaudit_children import watch_exec, watch_subprocess, watch_system
from keyaudit_facts import FILE, MOST, SERVER, STRIPE, code_in, facts_of, is_stripe, text_of

_HERE = os.path.dirname(os.path.abspath(__file__))


def _run_the_users_own():
    import importlib.machinery
    import importlib.util

    path = [one for one in sys.path if os.path.abspath(one or ".") != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def _opened():
    if not FILE:
        return None
    try:
        # Appended, never made: a notes file that is gone means that nobody records any more.
        return os.open(FILE, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return None


_fd = _opened()


_torn = False


def _note(value):
    global _torn
    try:
        # After a line that the disk took in part the next one begins anew.
        line = ("\n" if _torn else "") + json.dumps(value) + "\n"
        _torn = os.write(_fd, line.encode()) < len(line)
        if _torn:
            _lost()
    except OSError:
        _lost()
    except Exception:  # noqa: BLE001 - the agent's work goes on
        pass


def _lost():
    """A full disk takes no note, and takes this mark still; see read-notes.ts."""
    try:
        os.fchmod(_fd, 0o700)
    except Exception:  # noqa: BLE001
        pass


def _watch_http_client():
    import http.client as client

    connection = client.HTTPConnection
    putrequest, putheader = connection.putrequest, connection.putheader
    send, getresponse = connection.send, connection.getresponse

    init = connection.__init__

    def watched_init(self, host, *args, **kwargs):
        _watched_host(host)
        init(self, host, *args, **kwargs)

    def watched_putrequest(self, method, url, *args, **kwargs):
        self._keyaudit = {"method": method, "url": url, "headers": {}, "body": b"", "in_body": False}
        return putrequest(self, method, url, *args, **kwargs)

    def watched_putheader(self, header, *values):
        call = getattr(self, "_keyaudit", None)
        if call is not None:
            call["headers"][text_of(header).lower()] = ",".join(text_of(value) for value in values)
        return putheader(self, header, *values)

    def watched_send(self, data):
        call = getattr(self, "_keyaudit", None)
        # The head is sent first, as one block that the connection has made.
        if call is not None:
            if not call["in_body"]:
                call["in_body"] = True
                if isinstance(data, bytes):
                    call["body"] += data.partition(b"\r\n\r\n")[2]
            elif isinstance(data, (bytes, bytearray)) and len(call["body"]) < MOST:
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
            if not is_stripe(host, headers.get("authorization")):
                return
            target = re.sub(r"^https?://[^/]*", "", call["url"])
            _note({**facts_of(call["method"], target, headers, call["body"]), **answer})
        except Exception:  # noqa: BLE001
            pass

    def _note_when_read(self, call, response, status):
        # The reader's own bytes are looked at as they pass; reading here would take them away.
        seen = []
        noted = []

        def done():
            if not noted:
                noted.append(True)
                _note_call(self, call, {"status": status, "code": code_in(b"".join(seen))})

        read, close = response.read, response.close

        def watched_read(*args, **kwargs):
            data = read(*args, **kwargs)
            if data and sum(map(len, seen)) < MOST:
                seen.append(data)
            if not data or response.isclosed():
                done()
            return data

        def watched_close():
            done()
            return close()

        response.read, response.close = watched_read, watched_close

    connection.__init__ = watched_init
    connection.putrequest, connection.putheader = watched_putrequest, watched_putheader
    connection.send, connection.getresponse = watched_send, watched_getresponse


def _watch_httpx(module):
    def note(request, answer):
        try:
            headers = {name.lower(): value for name, value in request.headers.items()}
            url = request.url
            if is_stripe(url.host, headers.get("authorization")):
                body = getattr(request, "_content", b"") or b""
                target = url.raw_path.decode("ascii", "replace")
                facts = facts_of(request.method, target, headers, body)
                _note({**facts, **answer})
        except Exception:  # noqa: BLE001
            pass

    def answer_of(response):
        code = code_in(response.content) if response.status_code >= 400 and response.is_closed else None
        return {"status": response.status_code, "code": code}

    send, send_async = module.Client.send, module.AsyncClient.send

    def watched(self, request, *args, **kwargs):
        _watched_host(request.url.host)
        try:
            response = send(self, request, *args, **kwargs)
        except Exception:
            note(request, {"failed": True})
            raise
        note(request, answer_of(response))
        return response

    async def watched_async(self, request, *args, **kwargs):
        _watched_host(request.url.host)
        try:
            response = await send_async(self, request, *args, **kwargs)
        except Exception:
            note(request, {"failed": True})
            raise
        note(request, answer_of(response))
        return response

    module.Client.send, module.AsyncClient.send = watched, watched_async


_hosts = set()


def _watched_host(host):
    _hosts.add(str(host).partition(":")[0].lower())


def _watch_sockets(module):
    """Connections to Stripe that no watched call made."""
    getaddrinfo = module.getaddrinfo

    def watched(host, *args, **kwargs):
        try:
            name = text_of(host).lower()
            if STRIPE.search(name) and name not in _hosts:
                _hosts.add(name)
                _note({"missed": name})
        except Exception:  # noqa: BLE001
            pass
        return getaddrinfo(host, *args, **kwargs)

    module.getaddrinfo = watched


def _go_past_the_recorder(module):
    """Calls of this process are noted by its hooks, and stripe-python trusts authorities of its own alone."""
    original = module.getproxies_environment

    def proxies():
        return {name: url for name, url in original().items() if not SERVER or url != SERVER}

    if module.getproxies is original:
        module.getproxies = proxies
    module.getproxies_environment = proxies


def _hello():
    _note({"hello": "python", "version": "%d.%d.%d" % sys.version_info[:3], "pid": os.getpid()})


class _AfterImport:
    """Watches for the import of modules that are patched only where they are used."""

    patches = {
        "http.client": lambda _module: _watch_http_client(),
        "httpx": _watch_httpx,
        "aiohttp": lambda module: watch_aiohttp(module, _note, _watched_host),
        "pycurl": lambda _module: _note({"unwatched": "pycurl"}),
        "socket": _watch_sockets,
        "subprocess": lambda module: watch_subprocess(module, _note),
        "urllib.request": _go_past_the_recorder,
    }

    def patch_now(self, name):
        try:
            self.patches[name](sys.modules[name])
        except Exception:  # noqa: BLE001
            _note({"unwatched": name})

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
    _hello()
    watch_system(_note)
    watch_exec(_note, _hello)
    _watch = _AfterImport()
    sys.meta_path.insert(0, _watch)
    for _name in [name for name in _watch.patches if name in sys.modules]:
        _watch.patch_now(_name)
_run_the_users_own()
