"""Addresses of services outside that a person names."""

from __future__ import annotations

from urllib.parse import urlsplit

from guiderail.core.errors import InputError


def web_address(text: str) -> str:
    """An http or https address without a slash at its end. Raises InputError for anything else."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if (
        not usable
        or not text.isascii()
        or any(letter.isspace() or not letter.isprintable() for letter in text)
        or "@" in parts.netloc
        or "?" in text
        or "#" in text
    ):
        raise InputError(
            f"{text!r} is not a web address",
            code="address/unusable",
            advice="Give an address that begins with https:// or http://, without user, password, "
            "question mark or fragment.",
        )
    return text.rstrip("/")
