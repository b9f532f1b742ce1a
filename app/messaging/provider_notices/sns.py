"""Messages of Amazon SNS: who signed them, and confirming a subscription.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. The certificate comes from the
region of a topic that the operator named, over https, and from nowhere else: what a message says about where to look is
never followed by itself.
"""

import asyncio
import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.kit import http
from app.kit.http import HttpError

MAX_AGE = timedelta(days=2)
"""SNS repeats for hours what was not taken; a repetition that comes later still changes nothing."""
MAX_AHEAD = timedelta(minutes=15)
FETCH_SECONDS = 5.0
KEEP_SECONDS = 86_400.0
PAUSE_SECONDS = 30.0
"""Between two tries to get a certificate that could not be had."""
MAX_KEPT = 16
_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{3,30}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - AWS's own choice

log = structlog.get_logger(__name__)


class UntrustedMessageError(Exception):
    """The text says why, without quoting the message."""


@dataclass(frozen=True, slots=True)
class _Kept:
    key: rsa.RSAPublicKey | None
    at: float


_keys: dict[str, _Kept] = {}
_fetching = asyncio.Lock()


def host_of(topic_arn: str) -> str:
    """The one server that speaks for a topic. Raises ValueError for what is no topic."""
    match = _TOPIC.fullmatch(topic_arn)
    if match is None:
        raise ValueError("not the ARN of an SNS topic")
    return f"sns.{match[2]}.amazonaws.com{'.cn' if match[1] == 'aws-cn' else ''}"


async def verify(message: Mapping[str, Any], topics: list[str], now: datetime) -> None:
    """Raises UntrustedMessageError."""
    topic, kind = message.get("TopicArn"), message.get("Type")
    if not isinstance(topic, str) or topic not in topics or not isinstance(kind, str) or kind not in _SIGNED:
        raise UntrustedMessageError("not of a topic that is set up")
    try:
        age = now - datetime.fromisoformat(str(message["Timestamp"]))
        signature = base64.b64decode(str(message["Signature"]), validate=True)
        algorithm = _HASHES[str(message["SignatureVersion"])]
        certificate_url = _certificate_url(str(message["SigningCertURL"]), topic)
    except (KeyError, ValueError, TypeError):
        raise UntrustedMessageError("not a signed message") from None
    if not -MAX_AHEAD <= age <= MAX_AGE:
        raise UntrustedMessageError("too old, or of the future")
    key = await _key(certificate_url, now)
    if key is None:
        raise UntrustedMessageError("the certificate cannot be had")
    lines = [f"{name}\n{message[name]}\n" for name in _SIGNED[kind] if message.get(name) is not None]
    try:
        key.verify(signature, "".join(lines).encode(), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise UntrustedMessageError("the signature does not match") from None


def _certificate_url(url: str, topic_arn: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc != host_of(topic_arn) or parts.query or parts.fragment:
        raise ValueError("not where the topic's certificates are")
    if not _CERTIFICATE_PATH.fullmatch(parts.path):
        raise ValueError("not a certificate")
    return url


async def _key(url: str, now: datetime) -> rsa.RSAPublicKey | None:
    """Kept for a day; one that cannot be had is not asked for again at once, and never twice at a time."""
    async with _fetching:
        kept = _keys.get(url)
        if kept is not None and time.monotonic() - kept.at < (KEEP_SECONDS if kept.key else PAUSE_SECONDS):
            return kept.key
        if len(_keys) >= MAX_KEPT:
            # Anybody can name certificates that do not exist: they push out each other, not the one that does.
            del _keys[min(_keys, key=lambda known: (_keys[known].key is not None, _keys[known].at))]
        key: rsa.RSAPublicKey | None = None
        try:
            answer = await http.request("GET", url, timeout_seconds=FETCH_SECONDS)
            if answer.is_success:
                key = _read(answer.body, now)
        except (HttpError, ValueError) as error:
            log.warning("certificate of SNS not read", error=type(error).__name__)
        _keys[url] = _Kept(key, time.monotonic())
        return key


def _read(pem: bytes, now: datetime) -> rsa.RSAPublicKey:
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not valid now")
    return key


async def confirm(topic_arn: str, token: str) -> None:
    """Say yes to a subscription of a topic that is set up. Raises HttpError to be tried again."""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": token})
    answer = await http.request("GET", f"https://{host_of(topic_arn)}/?{query}", timeout_seconds=FETCH_SECONDS * 2)
    if not answer.is_success:
        raise HttpError(f"HTTP {answer.status}")
    log.info("subscription of SNS confirmed", topic=topic_arn)
