"""Tokens with which a CI says which of its jobs is speaking (OpenID Connect, RFC 7519).

GitHub Actions and GitLab give one to a job that asks. It is verified without the network, against
keys (JWKS, RFC 7517) that somebody pinned here. A token alone proves only that the job ran: so its
audience has to name the very statement that it vouches for, and it is good for nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from guiderail.core.errors import InputError, RefusedError

ALGORITHMS = ("RS256", "ES256")
LARGEST_TOKEN = 16 * 1024
LARGEST_JWKS = 64 * 1024
SKEW = timedelta(seconds=60)
"""How far clocks may differ."""

LONGEST_LIFE = timedelta(days=1)
PLACE_CLAIMS = ("repository", "project_path", "repository_id", "project_id")
"""Claims that say whose job it was; without one of them any customer of the CI could vouch."""


@dataclass(frozen=True, slots=True)
class CiIdentity:
    """What tokens must say. claims: names with the only value that is accepted.

    jwks: the issuer's public keys as its JWKS document, verbatim.
    """

    issuer: str
    audience: str
    claims: Mapping[str, str]
    jwks: str

    def to_json(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "audience": self.audience,
            "claims": dict(self.claims),
            "jwks": self.jwks,
        }


def audience_for(audience: str, statement: str) -> str:
    """The audience that the token for one statement is to be asked with.

    statement: `sha256:` digest of the statement's bytes.
    """
    return f"{audience}#{statement}"


def read_identity(issuer: str, audience: str, claims: Mapping[str, str], jwks: bytes) -> CiIdentity:
    """What somebody wants to register. Raises InputError where it would let in too much."""
    if not issuer.startswith("https://") or not audience or "#" in audience:
        raise _unusable(
            "an issuer is an https address and an audience a name without #",
            "For example --issuer https://token.actions.githubusercontent.com "
            "--audience guiderail.example.org.",
        )
    if not any(claims.get(name) for name in PLACE_CLAIMS):
        raise _unusable(
            "no claim says whose jobs may vouch: anybody's could",
            "Add --claim repository=OWNER/NAME (GitHub) or --claim project_path=GROUP/NAME "
            "(GitLab), and --claim ref=... for the branch.",
        )
    try:
        if len(jwks) > LARGEST_JWKS:
            raise ValueError("it is too large")
        text = jwks.decode("utf-8")
        _key_set(text)
    except (ValueError, TypeError, KeyError) as error:
        raise _unusable(
            f"the file of keys cannot be used: {error}",
            "Save what the issuer publishes as jwks_uri in its .well-known/openid-configuration.",
        ) from error
    return CiIdentity(issuer, audience, dict(claims), text)


def identity_from_json(text: str) -> CiIdentity:
    """The inverse of `CiIdentity.to_json`. Raises ValueError for anything else."""
    match json.loads(text):
        case {
            "issuer": str(issuer),
            "audience": str(audience),
            "claims": dict(claims),
            "jwks": str(jwks),
        }:
            return CiIdentity(issuer, audience, claims, jwks)
    raise ValueError("it is no registered identity of a CI")


def claims_of(token: str, identity: CiIdentity, statement: str, now: datetime) -> Mapping[str, Any]:
    """The claims of a token that vouches for one statement now.

    Raises RefusedError `token/...` for every other token, with what differs.
    """
    claims = _signed_claims(token, identity)
    if claims.get("iss") != identity.issuer:
        raise _refused("issuer", f"it was issued by {_shown(claims.get('iss'))}")
    wanted = audience_for(identity.audience, statement)
    audience = claims.get("aud")
    if audience not in (wanted, [wanted]):
        raise _refused("audience", f"it was asked for {_shown(audience)}, not for {wanted}")
    _refuse_other_time(claims, now)
    for name, value in identity.claims.items():
        if claims.get(name) != value:
            raise _refused("claim", f"its {name} is {_shown(claims.get(name))}, not {value}")
    return claims


def _signed_claims(token: str, identity: CiIdentity) -> Mapping[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError

    if len(token) > LARGEST_TOKEN:
        raise _refused("form", "it is too large")
    try:
        decoded = jwt.decode(token, _key_set(identity.jwks), algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refused(
            "signature", f"none of the registered keys of {identity.issuer} signed it"
        ) from error
    return dict(decoded.claims)


def _refuse_other_time(claims: Mapping[str, Any], now: datetime) -> None:
    times = {}
    for name in ("iat", "exp", "nbf"):
        value = claims.get(name)
        if value is None and name == "nbf":
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refused("time", f"it does not say its {name}")
        times[name] = value
    moment, skew = now.timestamp(), SKEW.total_seconds()
    if times["exp"] <= moment:
        raise _refused("expired", "it has expired")
    if max(times["iat"], times.get("nbf", 0)) > moment + skew:
        raise _refused("time", "it is not valid yet")
    if times["exp"] - times["iat"] > LONGEST_LIFE.total_seconds():
        raise _refused("time", "it is valid for longer than a day")


def _key_set(text: str) -> Any:
    """Raises ValueError for what holds no public key of an algorithm that is accepted."""
    from joserfc.jwk import ECKey, KeySet, RSAKey

    content = json.loads(text)
    rows = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ValueError("it is no JWKS with keys")
    keys: list[Any] = []
    for row in rows:
        if not isinstance(row, dict) or {"d", "k"} & set(row):
            raise ValueError("it holds something else than public keys")
        if row.get("use", "sig") != "sig":
            continue
        if row.get("kty") == "RSA":
            keys.append(RSAKey.import_key(row))
        elif row.get("kty") == "EC" and row.get("crv") == "P-256":
            keys.append(ECKey.import_key(row))
    if not keys:
        raise ValueError("it holds no RSA or P-256 key for signatures")
    return KeySet(keys)


def _shown(value: object) -> str:
    return "nobody" if value is None else str(value)[:120]


def _refused(code: str, why: str) -> RefusedError:
    return RefusedError(
        f"the token of the CI is not accepted: {why}",
        code=f"token/{code}",
        advice="Ask for a new token in the same job, with the audience that `guiderail check "
        "--attest` printed.",
    )


def _unusable(what: str, advice: str) -> InputError:
    return InputError(what, code="signer/identity", advice=advice)
