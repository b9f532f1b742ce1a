"""What the configuration says by itself, and what it forgets."""

import shutil
import tempfile
from email.utils import parseaddr
from importlib.util import find_spec
from urllib.parse import urlsplit

from app.doctor.finding import Finding, place
from app.messaging.smtp import check_smtp
from app.settings import Settings

RESERVED = (".example", ".invalid", ".localhost", ".test", ".localdomain", "example.com", "example.net", "example.org")
"""Domains that nobody has (RFC 2606): mail from them is refused."""
FREE_MAIL = (
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "outlook.com",
    "hotmail.com",
    "gmx.de",
    "gmx.net",
    "icloud.com",
)
"""Their owners' DMARC policies refuse mail in their name that others send."""
MIN_FREE_BYTES = 512 * 1024 * 1024

_TOLD_BY = {
    "amazonaws.com": ("ses_topic_arns", "SES_TOPIC_ARNS"),
    "postmarkapp.com": ("postmark_webhook_login", "POSTMARK_WEBHOOK_LOGIN"),
    "sendgrid.net": ("sendgrid_webhook_key", "SENDGRID_WEBHOOK_KEY"),
}
"""What makes the notices of a mail provider believed, by the end of its servers' names."""


def examine(settings: Settings) -> list[Finding]:
    findings = [_secrets(settings), _public_url(settings), _disk()]
    if settings.is_production:
        findings += [_sender(settings), _metrics(settings)]
    findings += _notices(settings)
    if settings.otel_exporter_otlp_endpoint is not None and find_spec("opentelemetry") is None:
        findings.append(Finding("traces", False, "a collector is set, but the extra `tracing` is not installed",
                                "Install tradewind[tracing], or unset OTEL_EXPORTER_OTLP_ENDPOINT."))  # fmt: skip
    if settings.twilio_account_sid or settings.twilio_auth_token or settings.twilio_from:
        findings.append(_text_messages(settings))
    return findings


def _secrets(settings: Settings) -> Finding:
    count = len(settings.secret_keys)
    older = f", {count - 1} older {'one' if count == 2 else 'ones'} still verify" if count > 1 else ""
    advice = "Drop the oldest of SECRET_KEYS once its links have expired (90 days)." if count > 2 else ""
    return Finding("secrets", True, f"{settings.environment} keys: the first signs{older}", advice)


def _public_url(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if settings.is_production and (url.hostname in ("localhost", "127.0.0.1") or url.scheme != "https"):
        return Finding(
            "public address",
            False,
            f"links in mails would lead to {settings.public_url}",
            "Set PUBLIC_URL to the https:// address at which shoppers reach this API.",
        )
    return Finding("public address", True, settings.public_url)


def _sender(settings: Settings) -> Finding:
    domain = parseaddr(settings.email_from)[1].rpartition("@")[2].lower()
    if any(domain == name.strip(".") or domain.endswith(name if name[0] == "." else f".{name}") for name in RESERVED):
        return Finding(
            "sender", False, f"{domain} is nobody's domain", "Set EMAIL_FROM to an address of the shop's own."
        )
    if domain in FREE_MAIL:
        advice = "Set EMAIL_FROM to an address of the shop's own domain, and set up SPF, DKIM and DMARC for it."
        return Finding("sender", False, f"receivers refuse mail of {domain} that others send", advice)
    return Finding("sender", True, f"mail comes from {domain} (its SPF, DKIM and DMARC are for you to check)")


def _metrics(settings: Settings) -> Finding:
    if settings.metrics_token is None:
        return Finding("metrics", True, "the API shows none", "Set METRICS_TOKEN, and let Prometheus read /metrics.")
    return Finding("metrics", True, "at /metrics, behind METRICS_TOKEN")


def _notices(settings: Settings) -> list[Finding]:
    """A provider whose bounces and complaints nobody listens to: addresses that refuse mail are written to for ever."""
    findings = []
    for url in filter(None, (settings.smtp_url, *settings.smtp_fallback_urls)):
        host = (urlsplit(url).hostname or "").lower()
        for ending, (name, variable) in _TOLD_BY.items():
            if host.endswith(ending) and not getattr(settings, name):
                said = f"nobody hears of bounces and complaints from {place(url)}"
                findings.append(Finding("mail notices", False, said, f"Set {variable}; .env.example says how."))
    return findings


def _disk() -> Finding:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    said = f"{free / 1024**3:.1f} GB free for temporary files"
    advice = "Imports and uploads pass through it; make room." if free < MIN_FREE_BYTES else ""
    return Finding("disk", free >= MIN_FREE_BYTES, said, advice)


def _text_messages(settings: Settings) -> Finding:
    parts = {
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_FROM": settings.twilio_from,
    }
    if missing := [name for name, value in parts.items() if not value]:
        return Finding("text messages", False, "set up by half", f"Set {' and '.join(missing)} too.")
    return Finding("text messages", True, "set up with Twilio (not called: each call costs)")


async def mail(settings: Settings) -> Finding:
    if problem := await check_smtp(settings):
        return Finding("mail", False, problem, "Correct SMTP_URL or the sender; .env.example explains them.")
    if settings.smtp_url is None:
        return Finding("mail", True, f"stays here, in the inbox at {settings.public_url}/inbox")
    places = [place(url) for url in (settings.smtp_url, *settings.smtp_fallback_urls)]
    return Finding(
        "mail", True, f"{' and '.join(places)} {'take' if len(places) > 1 else 'takes'} mail (none was sent)"
    )
