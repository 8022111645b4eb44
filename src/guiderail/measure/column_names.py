"""What a column's name says about people, in English and German.

A rule's phrases are sequences of words. A name is cut into words at case changes, digits and signs,
so that "page" does not mean age and "DateOfBirth" does mean a birth date. `things` are words that
turn the meaning away from a person: an account has an age, a product has a name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["protected", "personal"]


@dataclass(frozen=True, slots=True)
class NameRule:
    """phrases: any of them anywhere in the name. whole: names that must match completely."""

    cls: ColumnKind
    kind: str
    phrases: tuple[str, ...]
    whole: tuple[str, ...] = ()
    things: tuple[str, ...] = ()


_THINGS = (
    "account", "asset", "batch", "brand", "building", "campaign", "car", "card", "class", "column",
    "contract", "file", "feature", "fahrzeug", "gebaeude", "haus", "house", "job", "konto", "loan",
    "machine", "model", "product", "produkt", "property", "queue", "server", "vehicle", "vertrag",
)  # fmt: skip

NAME_RULES: tuple[NameRule, ...] = (
    NameRule("protected", "sex", ("sex", "gender", "geschlecht", "anrede", "salutation")),
    NameRule("protected", "age", ("age", "alter", "altersgruppe", "agep", "lebensalter"),
             things=_THINGS),
    NameRule("personal", "birth date", (
        "birth date", "date of birth", "birthdate", "birthday", "dob", "birth year", "yob",
        "year of birth", "geburtsdatum", "geburtstag", "geburtsjahr", "geb datum")),
    NameRule("protected", "race or ethnicity", (
        "race", "ethnic", "ethnicity", "ethnie", "afam", "african american", "hispanic", "latino",
        "skin color", "skin colour", "hautfarbe"), whole=("rac1p", "black", "white", "asian"),
        things=("condition",)),
    NameRule("protected", "nationality or origin", (
        "nationality", "citizenship", "citizen", "native country", "country of birth",
        "birth country", "place of birth", "birthplace", "foreign worker", "foreigner", "immigrant",
        "migration background", "national origin", "staatsangehoerigkeit", "nationalitaet",
        "herkunft", "geburtsort", "geburtsland", "auslaender", "migrationshintergrund"),
        whole=("pobp",)),
    NameRule("protected", "marital status", (
        "marital", "marital status", "marriage", "married", "civil status", "personal status",
        "relationship", "spouse", "familienstand", "verheiratet", "ehepartner"),
        whole=("single", "mar")),
    NameRule("protected", "religion", ("religion", "religious", "faith", "konfession")),
    NameRule("protected", "disability or health", (
        "disability", "disabled", "handicap", "diagnosis", "illness", "health status", "medical",
        "behinderung", "schwerbehindert", "krankheit", "diagnose", "gesundheit")),
    NameRule("protected", "pregnancy", ("pregnant", "pregnancy", "schwanger", "schwangerschaft")),
    NameRule("protected", "sexual orientation", (
        "sexual orientation", "sexuality", "sexuelle orientierung")),
    NameRule("protected", "political opinion", (
        "political", "party membership", "politische", "parteimitglied")),
    NameRule("protected", "union membership", (
        "union member", "union membership", "trade union", "gewerkschaft")),
    NameRule("protected", "genetic or biometric data", (
        "genetic", "biometric", "genetisch", "biometrisch", "fingerprint scan")),
    NameRule("protected", "veteran status", ("veteran",)),
    NameRule("personal", "email", ("email", "e mail", "mail address", "mailadresse")),
    NameRule("personal", "phone", (
        "phone", "telephone", "telefon", "mobile number", "phone number", "handy", "handynummer",
        "telefonnummer", "mobilnummer", "fax"), whole=("mobile", "tel")),
    NameRule("personal", "bank account", ("iban", "bank account", "account number", "kontonummer")),
    NameRule("personal", "payment card", (
        "card number", "credit card number", "pan number", "kartennummer", "kreditkartennummer")),
    NameRule("personal", "government number", (
        "ssn", "social security", "tax id", "tax number", "steuer id", "steuernummer",
        "steueridentifikationsnummer", "passport", "reisepass", "personalausweis", "national id",
        "identity card", "sozialversicherungsnummer", "driving licence", "driver license")),
    NameRule("personal", "person name", (
        "first name", "last name", "full name", "family name", "given name", "middle name",
        "surname", "forename", "firstname", "lastname", "fullname", "vorname", "nachname",
        "familienname", "customer name", "applicant name", "employee name", "patient name",
        "person name", "client name", "kundenname", "maiden name", "geburtsname"), whole=("name",)),
    NameRule("personal", "address", (
        "street", "home address", "postal address", "strasse", "hausnummer", "anschrift",
        "wohnadresse", "house number"), whole=("address", "adresse")),
    NameRule("personal", "postcode", (
        "zip", "zipcode", "zip code", "postcode", "postal code", "plz", "postleitzahl")),
    NameRule("personal", "network address", (
        "ip address", "ip addr", "ipv4", "ipv6", "mac address"), whole=("ip",)),
    NameRule("personal", "person number", (
        "customer id", "customer number", "person id", "patient id", "employee id", "client id",
        "user id", "applicant id", "entity id", "kundennummer", "personalnummer", "user name",
        "username", "member id", "versichertennummer")),
)  # fmt: skip

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column name: lower case, umlauts written out, accents dropped."""
    name = unicodedata.normalize("NFC", name)
    split = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    plain = unicodedata.normalize("NFKD", split.lower().translate(_UMLAUTS))
    ascii_only = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W\d_]+", ascii_only))


def rule_for(name: str) -> NameRule | None:
    """The first rule that the name meets; None where it says nothing."""
    words = words_of(name)
    joined = "".join(sign for sign in name.lower() if sign.isalnum())
    for rule in NAME_RULES:
        if joined in rule.whole:
            return rule
        if any(holds_phrase(words, tuple(phrase.split())) for phrase in rule.phrases):
            return None if set(words) & set(rule.things) else rule
    return None


def holds_phrase(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Whether the words of a phrase stand beside each other among the words of a name."""
    size = len(phrase)
    return any(words[i : i + size] == phrase for i in range(len(words) - size + 1))
