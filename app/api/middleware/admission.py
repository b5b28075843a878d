"""ASGI middleware that lets requests in or turns them away, before anything of their body is read.

In this order: the name that the service was called by, the key, the allowance. `CrossOrigin` stands before it.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problem_details
from app.api.middleware.api_keys import Holder, Keys, presented
from app.api.middleware.cross_origin import PROBES, host_name, was_asked_by_another_page
from app.api.middleware.rate_limit import REQUEST, Account, Allowances
from app.errors import CredentialError, HostError, LiltError
from app.operations import metrics

ACCOUNT = "account"
"""where in a request's state its account is"""

KEY_LABEL = "key_label"
"""where the label of its key is, if it came with one that is known"""

NO_KEY = "(none)"
"""stands for requests without a known key, in metrics; no label has such characters"""

_COSTS = frozenset({"/generate", "/render", "/check", "/originality"})
_IPV6_PREFIX = 64  # what one customer has


class Doors:
    """Answers with a problem document itself where a request may not come in.

    Args:
        hosts: names that the service may be called by, `*.example.org` for all below one, `*` for any; if empty, what a
            page from elsewhere cannot have its own name turned into: an address, or a name without a dot.
        keys: whose holders may come in; None: anybody.
        allowances: what each holder or address may still spend.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], keys: Keys | None, allowances: Allowances) -> None:
        self._app = app
        self._hosts = hosts
        self._keys = keys
        self._allowances = allowances

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        account, holder = Account([]), None

        async def with_allowance(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(account.headers())
            await send(message)

        try:
            holder = self._admit(scope)
            if holder is not None:
                scope.setdefault("state", {})[KEY_LABEL] = holder.label
            if scope["path"] in _COSTS:
                account = self._account(scope, holder)
                account.charge(REQUEST)
        except LiltError as error:
            metrics.DOOR_REFUSALS.labels(problem_details.type_of(error).kind).inc()
            await problem_details.answer(error)(scope, receive, with_allowance)
            return
        finally:
            metrics.KEY_REQUESTS.labels(self._label(holder)).inc()
        scope.setdefault("state", {})[ACCOUNT] = account
        await self._app(scope, receive, with_allowance)

    def _admit(self, scope: Scope) -> Holder | None:
        headers = Headers(scope=scope)
        if not is_ours(headers.get("host", ""), self._hosts):
            raise HostError("Host not allowed; add it to LILT_HOSTS")
        if self._keys is None:
            return None
        authorization = headers.get("authorization", "")
        # a browser sends a password that it has kept whoever's page asks; another's page has to know the key itself
        key = presented(authorization, is_password_taken=not was_asked_by_another_page(scope))
        holder = self._keys.holder(key) if key else None
        if holder is None:
            raise CredentialError("send a key that is known here, as `Authorization: Bearer KEY`")
        return holder

    def _account(self, scope: Scope, holder: Holder | None) -> Account:
        def spend(units: int) -> None:
            metrics.KEY_UNITS.labels(self._label(holder)).inc(units)

        if holder is not None:
            return self._allowances.account(f"key {holder.label}", holder.rate_per_minute, spend=spend)
        return self._allowances.account(caller_of(scope["client"][0] if scope.get("client") else ""), spend=spend)

    def _label(self, holder: Holder | None) -> str:
        """A holder's label for metrics, as long as the file of keys has it: so there are never more than it has."""
        is_known = holder is not None and self._keys is not None and self._keys.has_label(holder.label)
        return holder.label if holder is not None and is_known else NO_KEY


def is_ours(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a `Host` header names this service; see Doors."""
    name = host_name(host)
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
    found: Account = scope.get("state", {}).get(ACCOUNT) or Account([])
    return found
