"""What a reply by text message means, and what the first marketing text has to say. The words are pure decisions.

Sources: 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel and unsubscribe revoke consent, and so does
any other reasonable way of saying it); CTIA Messaging Principles 5.1 (HELP, and what an opt-in's first message names).
"""

import re
import unicodedata
from enum import StrEnum

from app import db

MAX_STOP_WORDS = 5
"""A phrase; in anything longer a word may mean something else, and a person has to read it."""
MAX_PHRASE_WORDS = 4
FIRST_MESSAGE_WORDS = "Reply STOP to opt out, HELP for help."

_LINKS = re.compile(r"\S*://\S*")
_APOSTROPHES = re.compile("['`\u2019]")


class SmsKeyword(StrEnum):
    STOP = "STOP"
    HELP = "HELP"
    START = "START"
    YES = "YES"
    """Confirms what was asked; else it counts as START does."""


_STOP = frozenset({"stop", "stopall", "unsubscribe", "optout", "revoke", "stopp", "arret"})
"""Nobody writes them in a short message and means something else."""
_STOP_ALONE = frozenset({"quit", "end", "cancel"})
"""Nor these, with nothing beside them but words that add nothing: `cancel my order` speaks of something else."""
_HELP = frozenset({"help", "info"})
_START = frozenset({"start", "unstop"})
_YES = frozenset({"yes", "y", "ja", "oui", "si"})
_FILLER_WORDS = (
    "a all and any at enough from getting i it just me messages messaging more my need no now of off on please pls plz "
    "sending sms spam subscription text texting texts thank thanks that the them these this to want you your"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
_NOT = frozenset({"dont", "not", "never", "cant"})


def keyword(text: str) -> SmsKeyword | None:
    """What a reply asks for; None for anything that a person has to read."""
    words = _words(text)
    if _stops(words):
        return SmsKeyword.STOP
    for meaning, alternatives in ((SmsKeyword.HELP, _HELP), (SmsKeyword.START, _START), (SmsKeyword.YES, _YES)):
        if _says_only(words, alternatives):
            return meaning
    return None


def first_message_footer(brand: str, text: str = "") -> str:
    """What the first marketing text to a number has to name: who writes, STOP and HELP.

    Args:
        text: what goes before it; a brand that it names already is not named twice, as every character is paid for.
    """
    said = _LINKS.sub(" ", text)
    named = re.search(rf"(?<!\w){re.escape(brand.strip())}(?!\w)", said, re.IGNORECASE)
    return FIRST_MESSAGE_WORDS if named and brand.strip() else f"{brand}: {FIRST_MESSAGE_WORDS}"


async def is_first_marketing_sms(phone: str) -> bool:
    """Whether no marketing text was sent to this number before. One of unknown outcome may not have arrived, and what
    staff sent to try a template does not count.

    Args:
        phone: E.164.
    """
    return not await db.fetchval(
        """
        SELECT EXISTS (SELECT FROM messages WHERE recipient = $1 AND channel = 'SMS' AND purpose = 'MARKETING'
                                              AND state = 'SENT' AND NOT context ? 'test')
        """,
        phone,
    )


def _words(text: str) -> list[str]:
    """Without case, accents and punctuation: `STOP!!!`, `s-t-o-p` is not a word, `Opt-Out` is two."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.findall(r"[a-z]+", re.sub(r"opt[ -]+out", "optout", _APOSTROPHES.sub("", plain)))


def _stops(words: list[str]) -> bool:
    says_nothing_else = all(word in _STOP | _STOP_ALONE | _FILLERS for word in words)
    if (len(words) > MAX_STOP_WORDS and not says_nothing_else) or any(word in _NOT for word in words):
        return False
    return any(word in _STOP for word in words) or _says_only(words, _STOP_ALONE)


def _says_only(words: list[str], alternatives: frozenset[str]) -> bool:
    if len(words) > MAX_PHRASE_WORDS:
        return False
    return any(word in alternatives for word in words) and all(word in alternatives | _FILLERS for word in words)
