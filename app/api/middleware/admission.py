"""ASGI middleware that admits or refuses requests by host, API key and rate limit, before their body is read.

Checked in that order. `CrossOrigin` runs before it.
"""

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problem_details
from app.api.api_keys import Holder, Keys, key_from_header
from app.api.middleware.cross_origin import PROBES, host_name, is_marked_cross_origin
from app.api.middleware.rate_limit import REQUEST, Account, Allowances
from app.errors import CredentialError, HostError, LiltError
from app.operations import metrics

ACCOUNT = "account"
"""key of the request's account in `scope["state"]`"""

KEY_LABEL = "key_label"
"""key of the API key's label in `scope["state"]`; only set for a known key"""

NO_KEY = "(none)"
"""the label in metrics of requests without a known key; no real label has such characters"""

_COSTS = frozenset({"/generate", "/render", "/check", "/originality", "/chords", "/import"})
_TUNES_COST = "/tune."
_IPV6_PREFIX = 64  # what one customer is assigned


class Admission:
    """Refuses a request whose host is not allowed, key is unknown or rate limit is used up, with a problem document.

    Args:
        hosts: allowed `Host` headers: names, `*.example.org` for all subdomains, `*` for any; if empty, those that DNS
            rebinding cannot forge: an address, or a name without a dot.
        keys: the accepted API keys; None: no authentication.
        allowances: the rate limits of each key or address.
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
        account, holder = Account(), None

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(account.headers())
            await send(message)

        try:
            holder = self._admit(scope)
            if holder is not None:
                scope.setdefault("state", {})[KEY_LABEL] = holder.label
            if scope["path"] in _COSTS or scope["path"].startswith(_TUNES_COST):
                account = self._account(scope, holder)
                account.charge(REQUEST)
        except LiltError as error:
            metrics.ADMISSION_REFUSALS.labels(problem_details.type_of(error).kind).inc()
            await problem_details.answer(error)(scope, receive, send_with_headers)
            return
        finally:
            metrics.KEY_REQUESTS.labels(self._label(holder)).inc()
        scope.setdefault("state", {})[ACCOUNT] = account
        await self._app(scope, receive, send_with_headers)

    def _admit(self, scope: Scope) -> Holder | None:
        headers = Headers(scope=scope)
        if not is_allowed_host(headers.get("host", ""), self._hosts):
            raise HostError("Host not allowed; add it to LILT_HOSTS")
        if self._keys is None:
            return None
        authorization = headers.get("authorization", "")
        # browsers send saved Basic credentials with any page's requests; a cross-origin page has to send a Bearer key
        key = key_from_header(authorization, accepts_basic=not is_marked_cross_origin(scope))
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
        """A holder's label for metrics while the key file has it, so that the file bounds the number of series."""
        is_known = holder is not None and self._keys is not None and self._keys.has_label(holder.label)
        return holder.label if holder is not None and is_known else NO_KEY


def is_allowed_host(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a `Host` header is allowed; see Admission."""
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
    """What identifies the caller at an address: the whole of IPv4, the /64 network of IPv6."""
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
    """The account of an admitted request; one without limits where `Admission` is not installed."""
    found: Account = scope.get("state", {}).get(ACCOUNT) or Account()
    return found
