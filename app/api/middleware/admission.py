"""ASGI middleware that lets requests in or turns them away, before anything of their body is read.

In this order: the name that the service was called by, the site that made a browser ask, the key, the allowance.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import pages, problem_details
from app.api.middleware.api_keys import Holder, Keys, presented
from app.api.middleware.rate_limit import REQUEST, Account, Allowances
from app.errors import CredentialError, CrossSiteError, HostError, LiltError
from app.operations import metrics

ACCOUNT = "account"
"""where in a request's state its account is"""

_PROBES = frozenset({"/healthz", "/readyz"})
_COSTS = frozenset({"/generate", "/render", "/check", "/originality"})
_IPV6_PREFIX = 64  # what one customer has


class Doors:
    """Answers with a problem document itself where a request may not come in.

    Args:
        hosts: names that the service may be called by, `*.example.org` for all below one, `*` for any; if empty, what a
            page from elsewhere cannot have its own name turned into: an address, or a name without a dot.
        keys: whose holders may come in; None: anybody.
        is_embedded: whether other sites' pages may make a browser ask.
    """

    def __init__(
        self, app: ASGIApp, hosts: tuple[str, ...], keys: Keys | None, allowances: Allowances, *, is_embedded: bool
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._keys = keys
        self._allowances = allowances
        self._is_embedded = is_embedded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        account = Account([], lambda: 0.0)

        async def with_allowance(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(account.headers())
            await send(message)

        try:
            holder = self._admit(scope)
            if scope["path"] in _COSTS:
                account = self._account(scope, holder)
                account.charge(REQUEST)
        except LiltError as error:
            metrics.DOOR_REFUSALS.labels(error.kind).inc()
            await problem_details.answer(error)(scope, receive, with_allowance)
            return
        scope.setdefault("state", {})[ACCOUNT] = account
        await self._app(scope, receive, with_allowance)

    def _admit(self, scope: Scope) -> Holder | None:
        headers = Headers(scope=scope)
        if not is_ours(headers.get("host", ""), self._hosts):
            raise HostError("the service does not go by this name; LILT_HOSTS lists those that it goes by")
        if not self._is_embedded and is_foreign(headers, scope["path"]):
            raise CrossSiteError("another site's page asked for this; LILT_CORS_ORIGINS lists the sites that may")
        if self._keys is None:
            return None
        key = presented(headers.get("authorization", ""))
        holder = self._keys.holder(key) if key else None
        if holder is None:
            raise CredentialError("send a key that is known here, as `Authorization: Bearer KEY`")
        return holder

    def _account(self, scope: Scope, holder: Holder | None) -> Account:
        if holder is not None:
            return self._allowances.account(f"key {holder.label}", holder.rate_per_minute)
        return self._allowances.account(caller_of(scope["client"][0] if scope.get("client") else ""))


def is_ours(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a `Host` header names this service; see Doors."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    name = name.lower().removesuffix(".")
    if hosts:
        below = [wanted[1:] for wanted in hosts if wanted.startswith("*.")]
        return "*" in hosts or name in hosts or any(name.endswith(suffix) for suffix in below)
    if "." not in name and ":" not in name:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.endswith(".localhost")
    return True


def is_foreign(headers: Headers, path: str) -> bool:
    """Whether another site's page made a browser ask, and not by a link that was followed or a frame for a tune."""
    if headers.get("sec-fetch-site") != "cross-site":
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not is_link and path not in pages.IN_FRAMES


def caller_of(address: str) -> str:
    """An address as one caller: IPv4 whole, IPv6 by the 64 bits that a customer is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


def account_of(scope: Scope) -> Account:
    """The account of a request that was let in; one without limits where no doors are."""
    found: Account = scope.get("state", {}).get(ACCOUNT) or Account([], lambda: 0.0)
    return found
