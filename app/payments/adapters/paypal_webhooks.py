"""PayPal's webhooks: who signed them, checked here with PayPal's certificate.

The signature is over the delivery's id and time, the webhook's own id, and the CRC-32 of the body to the byte. PayPal
can be asked instead, but looks at the event as a document, takes a request for each, and is away when it is away.
Source: https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
"""

import base64
import re
import time
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from app.payments.adapters.paypal_client import PayPalClient
from app.payments.gateway import GatewayUnavailableError, InvalidWebhookError

TOLERANCE = timedelta(days=3, hours=1)
"""PayPal tries for three days, and may sign once for all of its tries. What comes late is asked about all the same."""
KEEP_SECONDS = 86_400.0
PAUSE_SECONDS = 30.0
MAX_KEPT = 8
_SIGNS = "paypal.com"
_CERTIFICATE_PATH = re.compile(r"/v1/notifications/certs/CERT-[0-9a-zA-Z-]{1,80}")


class WebhookProofs:
    def __init__(self, client: PayPalClient, webhook_id: str | None) -> None:
        self._client = client
        self._webhook_id = webhook_id
        self._keys: dict[str, tuple[rsa.RSAPublicKey | None, float]] = {}

    async def event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Mapping[str, Any]:
        """The event of a delivery that PayPal has signed.

        Raises:
            InvalidWebhookError
            GatewayUnavailableError: the certificate cannot be had now.
        """
        said = {name: headers.get(f"paypal-{name}", "") for name in ("transmission-id", "transmission-time")}
        try:
            age = now - datetime.fromisoformat(said["transmission-time"])
            signature = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
        except (ValueError, TypeError):
            raise InvalidWebhookError("signature") from None
        if self._webhook_id is None or headers.get("paypal-auth-algo") != "SHA256withRSA":
            raise InvalidWebhookError("signature")
        if abs(age) > TOLERANCE:
            raise InvalidWebhookError("timestamp")
        key = await self._key(self._certificate_url(headers.get("paypal-cert-url", "")), now)
        signed = f"{said['transmission-id']}|{said['transmission-time']}|{self._webhook_id}|{zlib.crc32(body)}"
        try:
            key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            event = orjson.loads(body)
        except (InvalidSignature, ValueError):
            raise InvalidWebhookError("signature") from None
        if not isinstance(event, Mapping) or not isinstance(event.get("resource"), Mapping) or not event.get("id"):
            raise InvalidWebhookError("body")
        return event

    def _certificate_url(self, url: str) -> str:
        """Anybody can name a certificate; PayPal's own are at PayPal's alone."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise InvalidWebhookError("certificate") from None
        is_paypals = parts.scheme == "https" and port in (None, 443) and host.endswith(f".{_SIGNS}")
        if not _CERTIFICATE_PATH.fullmatch(parts.path) or parts.query or parts.username is not None:
            raise InvalidWebhookError("certificate")
        if not is_paypals and not self._client.is_own(url):
            raise InvalidWebhookError("certificate")
        return url

    async def _key(self, url: str, now: datetime) -> rsa.RSAPublicKey:
        """Kept for a day; one that cannot be had is not asked for again at once."""
        key, at = self._keys.get(url, (None, float("-inf")))
        if time.monotonic() - at > (KEEP_SECONDS if key else PAUSE_SECONDS):
            key = None
            try:
                key = _read(await self._client.certificate(url), now)
            except (GatewayUnavailableError, ValueError):
                pass
            finally:
                self._keep(url, key)
        if key is None:
            raise GatewayUnavailableError("the certificate cannot be had")
        return key

    def _keep(self, url: str, key: rsa.RSAPublicKey | None) -> None:
        if len(self._keys) >= MAX_KEPT and url not in self._keys:
            # Certificates that do not exist push out each other, not the one that does.
            del self._keys[min(self._keys, key=lambda known: (self._keys[known][0] is not None, self._keys[known][1]))]
        self._keys[url] = key, time.monotonic()


def _read(pem: bytes, now: datetime) -> rsa.RSAPublicKey:
    """The first certificate's key: those after it are of who vouches for it. Raises ValueError."""
    certificate = x509.load_pem_x509_certificates(pem)[0]
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or not any(name.endswith(f".{_SIGNS}") for name in names):
        raise ValueError("not a certificate of PayPal's")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not valid now")
    return key
