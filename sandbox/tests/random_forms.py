"""Random forms for any call, with valid, invalid, missing and unknown parameters, from the call's declaration."""

import re
from collections.abc import Iterator
from random import Random
from typing import Any

CARDS = (
    "pm_card_visa", "pm_card_mastercard", "pm_card_visa_chargeDeclined", "pm_card_threeDSecure2Required",
    "pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_bypassPending", "pm_card_pendingRefund",
    "pm_card_refundFail", "pm_card_chargeCustomerFail", "pm_usBankAccount", "tok_visa", "btok_us_verified",
)  # fmt: skip
ODD = (
    "", "0", "-1", "1", "99999999", "9" * 30, "NaN", "inf", "1e5", "true", "false", "x", "null", "None", "acct_x",
    "\N{SNOWMAN}", "<script>", "' OR 1=1 --", "a" * 6000, "2026-01-01", "usd", "eur", "jpy", "winning_evidence",
)  # fmt: skip
PREFIX = re.compile(r"^([a-z]+)_")

Pairs = list[tuple[str, str]]


class Forms:
    """Generates random forms. `ids` has the ids of existing objects by kind; it is read again for each form."""

    def __init__(self, random: Random, ids: dict[str, list[str]]) -> None:
        self.random = random
        self.ids = ids

    def address(self, path: str) -> str:
        """A path with random ids in place of its names, mostly of the correct kind."""
        segments = path.split("/")
        for place, segment in enumerate(segments):
            if segment.startswith(":"):
                segments[place] = self.any_id(segments[place - 1].rstrip("s"))
        return "/".join(segments)

    def any_id(self, wanted: str) -> str:
        """An id of a matching kind; sometimes of another kind, or of no object."""
        fitting = [one for kind, ids in self.ids.items() if _is_like(kind, wanted) for one in ids]
        chance = self.random.random()
        if fitting and chance < 0.9:
            # Mostly the newest objects, because most calls are possible for them.
            return fitting[-1 - min(int(self.random.expovariate(0.5)), len(fitting) - 1)]
        everything = [one for ids in self.ids.values() for one in ids]
        return self.random.choice(everything) if everything and chance < 0.97 else "nothing_" + wanted[:8]

    def form(self, accepts: dict[str, Any]) -> Pairs:
        """Random parameters for one call."""
        pairs = list(self._hash(accepts, "", depth=0))
        if self.random.random() < 0.03:
            pairs.append((self.random.choice(("flavour", "metadata[a][b]", "a[", "expand[]")), "x"))
        return pairs

    def _hash(self, spec: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
        required = spec.get("required", ())
        optional = [name for name, inner in spec["fields"].items() if name not in required]
        wanted = {name for name in optional if self.random.random() < min(0.35, 3 / (len(optional) + 1))}
        wanted |= {name for name in required if self.random.random() < 0.97}
        for name in spec["fields"]:
            inner = spec["fields"][name]
            is_rare = inner["kind"] == "NotYet" or name == "expand"
            if name in wanted and (not is_rare or self.random.random() < 0.05):
                yield from self._value(inner, f"{path}[{name}]" if path else name, depth + 1)

    def _value(self, spec: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
        kind = spec["kind"]
        if depth > 6 or self.random.random() < 0.03:
            yield path, self.random.choice(ODD)
        elif kind == "Hash":
            yield from self._hash(spec, path, depth)
        elif kind == "Either":
            yield from self._value(spec[self.random.choice(("hash", "plain"))], path, depth)
        elif kind == "OneOf":
            yield from self._value(self.random.choice(spec["specs"]), path, depth)
        elif kind == "ListOf":
            for index in range(self.random.choice((0, 1, 1, 1, 2))):
                yield from self._value(spec["item"], f"{path}[{index}]", depth + 1)
        elif kind == "MapOf":
            yield from self._value(spec["item"], f"{path}[{self.random.choice(('usd', 'eur', 'a'))}]", depth + 1)
        elif kind == "Metadata":
            yield f"{path}[order]", self.random.choice(("7", "", "'"))
        else:
            yield path, self._plain(spec, path)

    def _plain(self, spec: dict[str, Any], path: str) -> str:
        kind, choices = spec["kind"], spec.get("choices")
        if choices:
            return str(self.random.choice(choices))
        if kind == "Boolean":
            return self.random.choice(("true", "false"))
        if kind == "Integer":
            return str(self._whole(spec, path))
        if kind == "Moment":
            return str(self.random.choice((0, 1_700_000_000, 1_900_000_000, 2**40)))
        if kind in ("Number", "DecimalText"):
            return self.random.choice(("0", "1", "12.5", "100", "-3", "1e3", "0.000001"))
        return self.random.choice(("usd", "usd", "eur", "jpy")) if kind == "Currency" else self._text(path)

    def _whole(self, spec: dict[str, Any], path: str) -> int:
        if "amount" in path:
            return self.random.choice((0, 1, 49, 50, 500, 1000, 2000, 99_999_999, 10**12))
        low, high = max(spec.get("minimum", 0), -5), min(spec.get("maximum", 40), 40)
        return self.random.randint(low, max(low, high))

    def _text(self, path: str) -> str:
        name = re.findall(r"[a-z_]+", path)[-1]
        if name in ("payment_method", "default_payment_method", "token", "source", "external_account", "card"):
            return self.random.choice(CARDS) if self.random.random() < 0.6 else self.any_id(name)
        if any(_is_like(kind, name) for kind in self.ids) and self.random.random() < 0.9:
            return self.any_id(name)
        if name.endswith("url"):
            return self.random.choice(("http://shop.example/a", "https://shop.example/b?x=1", "javascript:alert(1)"))
        if name == "email":
            return self.random.choice(("ada@example.org", "x"))
        return self.random.choice(("x", "US", "US", "DE", "12345", "Ada", *ODD[:8]))


def _is_like(kind: str, wanted: str) -> bool:
    """Whether a kind matches a parameter's name: `checkout.session` matches `session`, `account` `destination`."""
    wanted = {"destination": "account", "on_behalf_of": "account", "item": "subscription_item"}.get(wanted, wanted)
    kind = kind.replace(".", "_")
    return bool(wanted) and (kind.endswith(wanted) or wanted.endswith(kind))
