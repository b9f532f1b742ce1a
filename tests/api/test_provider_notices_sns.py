"""Amazon SNS tells of mails, in messages that anybody can send: what makes one true, and what does not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.kit import http
from app.kit.http import Answer, HttpError
from app.messaging.provider_notices import sns
from tests.factories import notices
from tests.factories.notices import Providers, mail_to_ada, nothing_changed, ses_bounce

Drain = Callable[[], Awaitable[None]]


@pytest.mark.parametrize(
    "forged",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:mail"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://x@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/bucket/evil.pem"},
        {"Timestamp": "2020-01-01T00:00:00.000Z"},
        {"Timestamp": "yesterday"},
        {"SignatureVersion": "3"},
        {"Type": "Other"},
    ],
)
async def test_no_forged_message_of_sns_is_believed(
    providers: Providers, forged: dict[str, str], fetched: list[str]
) -> None:
    message_id = await mail_to_ada()
    assert await providers.ses(providers.sns(ses_bounce(message_id), **forged)) == 403
    assert fetched == [], "nothing is fetched for what cannot be true"
    await nothing_changed(message_id)


async def test_a_changed_message_and_another_key_are_refused_and_the_certificate_is_fetched_once(
    providers: Providers, fetched: list[str]
) -> None:
    message_id = await mail_to_ada()
    body = providers.sns(ses_bounce(message_id))
    assert await providers.ses({**body, "Message": body["Message"].replace("Permanent", "Transient")}) == 403
    assert await providers.ses({**body, "Signature": "AAAA"}) == 403
    assert await providers.ses({**body, "Signature": "no base64"}) == 403
    await nothing_changed(message_id)
    assert await providers.ses(body) == 204
    assert fetched == [notices.CERTIFICATE_URL]


async def test_certificates_that_do_not_exist_push_out_none_that_does(
    providers: Providers, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "MAX_KEPT", 3)
    message_id = await mail_to_ada()
    body = providers.sns(ses_bounce(message_id))
    assert await providers.ses({**body, "Signature": "AAAA"}) == 403

    async def missing(method: str, url: str, **options: Any) -> Answer:
        return Answer(404, {}, b"")

    monkeypatch.setattr(http, "request", missing)
    for number in range(5):
        elsewhere = notices.CERTIFICATE_URL.replace(".pem", f"{number}.pem")
        assert await providers.ses({**body, "SigningCertURL": elsewhere}) == 403
    assert await providers.ses(body) == 204, "the certificate is still known"
    assert fetched == [notices.CERTIFICATE_URL]


async def test_a_certificate_that_cannot_be_had_or_has_run_out_proves_nothing(
    providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = await mail_to_ada()
    asked = 0

    async def expired(method: str, url: str, **options: Any) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise HttpError("no answer in time")
        return Answer(200, {}, providers.certificate(valid_days=-1))

    monkeypatch.setattr(http, "request", expired)
    assert await providers.ses(providers.sns(ses_bounce(message_id))) == 403
    assert await providers.ses(providers.sns(ses_bounce(message_id))) == 403
    assert asked == 1, "it is not asked for with every message"
    sns._keys.clear()
    assert await providers.ses(providers.sns(ses_bounce(message_id))) == 403
    await nothing_changed(message_id)


async def test_a_subscription_is_confirmed_for_our_topic_and_nowhere_else(
    providers: Providers, fetched: list[str], drain: Drain
) -> None:
    assert await providers.ses(providers.sns("You have chosen to subscribe", kind="SubscriptionConfirmation")) == 204
    assert fetched == [notices.CERTIFICATE_URL], "the webhook itself asks nobody else"
    await drain()
    (confirmed,) = fetched[1:]
    assert confirmed.startswith("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn%3Aaws")
    assert "Token=token-1" in confirmed
    other = providers.sns("…", kind="SubscriptionConfirmation", TopicArn="arn:aws:sns:eu-west-1:999999999999:mail")
    assert await providers.ses(other) == 403
    assert await providers.ses(providers.sns("Successfully validated SNS topic for Amazon SES.")) == 204
    await drain()
    assert len(fetched) == 2
