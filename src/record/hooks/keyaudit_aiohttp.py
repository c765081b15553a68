"""Calls by aiohttp. sitecustomize.py loads it."""

import json

from keyaudit_facts import facts_of, is_stripe


def watch_aiohttp(module, keep, watched_host):
    request = module.ClientSession._request

    def body_of(kwargs):
        """The form or JSON as far as it is at hand, and its kind where aiohttp makes it."""
        data = kwargs.get("data")
        if kwargs.get("json") is not None:
            return json.dumps(kwargs["json"]).encode(), "application/json"
        if isinstance(data, (bytes, bytearray)):
            return bytes(data), None
        if isinstance(data, str):
            return data.encode(), None
        if isinstance(data, module.FormData):
            data = [(options.get("name", ""), value) for options, _, value in data._fields]
        if isinstance(data, dict):
            data = list(data.items())
        if not isinstance(data, (list, tuple)):
            return b"", None
        from urllib.parse import urlencode

        pairs = [(name, value if isinstance(value, (str, int)) else "") for name, value in data]
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"

    def note(url, method, sent, kwargs, answer):
        try:
            headers = {str(name).lower(): str(value) for name, value in sent.items()}
            host = headers.get("host") or url.raw_authority.rpartition("@")[2]
            if is_stripe(host, headers.get("authorization")):
                body, kind = body_of(kwargs)
                if kind is not None:
                    headers["content-type"] = kind
                keep({**facts_of(method, url.raw_path_qs, headers, body), **answer})
        except Exception:  # noqa: BLE001
            pass

    async def watched(self, method, url, *args, **kwargs):
        try:
            watched_host(self._build_url(url).host)
        except Exception:  # noqa: BLE001
            pass
        try:
            response = await request(self, method, url, *args, **kwargs)
        except Exception:
            try:
                sent = {**self._default_headers, **(kwargs.get("headers") or {})}
                note(self._build_url(url), method, sent, kwargs, {"failed": True})
            except Exception:  # noqa: BLE001
                pass
            raise
        # As it went out, with what the session adds; of a chain of redirects the call that began it.
        first = response.history[0] if response.history else response
        note(first.request_info.url, method, first.request_info.headers, kwargs, {"status": first.status})
        return response

    module.ClientSession._request = watched
