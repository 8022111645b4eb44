"""Tokens of a CI: only the one that was asked for this statement, by this job, now, is accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from guiderail.attest.ci_token import CiIdentity, audience_for, claims_of, read_identity
from guiderail.core.errors import InputError, RefusedError

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "guiderail.example.org"
STATEMENT = "sha256:" + "ab" * 32
CLAIMS = {"repository": "acme/credit", "ref": "refs/heads/main"}
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})
JWKS = json.dumps(KeySet([RSA, EC]).as_dict(private=False)).encode()


def identity(**changes: Any) -> CiIdentity:
    given = {"issuer": ISSUER, "audience": AUDIENCE, "claims": CLAIMS, "jwks": JWKS, **changes}
    return read_identity(**given)


def claims(**changes: Any) -> dict[str, Any]:
    moment = int(NOW.timestamp())
    found = {
        "iss": ISSUER,
        "aud": audience_for(AUDIENCE, STATEMENT),
        "iat": moment - 5,
        "nbf": moment - 5,
        "exp": moment + 300,
        "sub": "repo:acme/credit:ref:refs/heads/main",
        **CLAIMS,
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def token(key: Any = RSA, header: dict[str, Any] | None = None, **changes: Any) -> str:
    head = {"alg": "RS256", "kid": key.kid, **(header or {})}
    return jwt.encode(head, claims(**changes), key, algorithms=[head["alg"]])


def refused(text: str, now: datetime = NOW, **changes: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        claims_of(text, identity(**changes), STATEMENT, now)
    return caught.value.code


def test_the_token_that_was_asked_for_this_statement_is_accepted() -> None:
    assert claims_of(token(), identity(), STATEMENT, NOW)["repository"] == "acme/credit"
    by_ec = token(EC, {"alg": "ES256"}, aud=[audience_for(AUDIENCE, STATEMENT)])
    assert claims_of(by_ec, identity(), STATEMENT, NOW)["iss"] == ISSUER


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://gitlab.com"}, "token/issuer"),
        ({"iss": None}, "token/issuer"),
        ({"aud": AUDIENCE}, "token/audience"),
        ({"aud": audience_for(AUDIENCE, "sha256:" + "cd" * 32)}, "token/audience"),
        ({"aud": audience_for("other.example.org", STATEMENT)}, "token/audience"),
        ({"aud": [audience_for(AUDIENCE, STATEMENT), "everybody"]}, "token/audience"),
        ({"aud": None}, "token/audience"),
        ({"repository": "mallory/credit"}, "token/claim"),
        ({"repository": None}, "token/claim"),
        ({"ref": "refs/pull/7/merge"}, "token/claim"),
        ({"ref": ["refs/heads/main"]}, "token/claim"),
        ({"exp": int(NOW.timestamp())}, "token/expired"),
        ({"exp": None}, "token/time"),
        ({"exp": "tomorrow"}, "token/time"),
        ({"iat": None}, "token/time"),
        ({"iat": int(NOW.timestamp()) + 3600}, "token/time"),
        ({"nbf": int(NOW.timestamp()) + 3600}, "token/time"),
        ({"exp": int(NOW.timestamp()) + 10 * 86400}, "token/time"),
    ],
)
def test_a_token_that_says_anything_else_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refused(token(**changes)) == code


def test_an_expired_token_is_refused_at_the_second() -> None:
    good = token()
    claims_of(good, identity(), STATEMENT, NOW + timedelta(seconds=299))
    assert refused(good, NOW + timedelta(seconds=300)) == "token/expired"


def test_a_key_that_is_not_pinned_signs_for_nobody() -> None:
    assert refused(token(STRANGER)) == "token/signature"


def test_alg_none_and_a_public_key_used_as_a_secret_are_refused() -> None:
    head, body, _ = token().split(".")
    none, secret = encoded(b'{"alg":"none","kid":"rsa-1"}'), RSA.as_pem(private=False)
    assert refused(f"{none}.{body}.") == "token/signature"
    assert refused(f"{head}.{body}.") == "token/signature"
    mine = encoded(b'{"alg":"HS256","kid":"rsa-1"}')
    code = hmac.new(secret, f"{mine}.{body}".encode(), hashlib.sha256).digest()
    assert refused(f"{mine}.{body}.{encoded(code)}") == "token/signature"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_every_changed_character_of_the_token_is_noticed() -> None:
    good = token()
    for place in range(0, len(good) - 1, 37):
        if good[place] == ".":
            continue
        other = "A" if good[place] != "A" else "B"
        assert refused(good[:place] + other + good[place + 1 :]).startswith("token/")


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "." * 5, "é.é.é", "x" * 20_000, "{}"])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refused(text).startswith("token/")


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": {}},
        {"claims": {"ref": "refs/heads/main"}},
        {"claims": {"repository": ""}},
        {"issuer": "http://token.example.org"},
        {"audience": ""},
        {"audience": "a#b"},
        {"jwks": b"{}"},
        {"jwks": b'{"keys": []}'},
        {"jwks": b"not json"},
        {"jwks": b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'},
        {"jwks": json.dumps({"keys": [RSA.as_dict(private=True)]}).encode()},
        {"jwks": b" " * 70_000},
    ],
)
def test_an_identity_that_would_let_in_too_much_cannot_be_registered(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(InputError) as caught:
        identity(**changes)
    assert caught.value.code == "signer/identity"
