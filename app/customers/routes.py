"""The pages behind people's own links, in every environment: unsubscribe, preferences, confirmation.

The signed token in the path is the proof, so another site cannot forge a request without it. GET and HEAD change
nothing: mail scanners open every link. Every change is a POST, may be repeated, and is answered without a redirect.
"""

from babel.dates import format_date
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.customers import consent, consent_texts, links, preferences
from app.customers.consent import Proof
from app.customers.models import ConsentAction, ConsentSource
from app.customers.page import page
from app.customers.preferences import ChannelPreference, Person
from app.errors import DomainError
from app.kit import ids
from app.messaging.formats import text_locale
from app.messaging.models import MessageChannel
from app.settings import Settings
from app.shop import queries as shop_queries
from app.web.body import read_form
from app.web.client import client_ip

MAX_BODY_BYTES = 10_000
_KINDS = {MessageChannel.EMAIL: "news and offers by email", MessageChannel.SMS: "news and offers by text message"}
_NAMES = {MessageChannel.EMAIL: "Email", MessageChannel.SMS: "Text messages"}


def routes() -> list[BaseRoute]:
    """What is added to the API's own routes."""
    return [
        Route(f"{links.UNSUBSCRIBE_PATH}/{{token}}", _unsubscribe, methods=["GET", "POST"]),
        Route(f"{links.PREFERENCES_PATH}/{{token}}", _preferences, methods=["GET", "POST"]),
        Route(f"{links.CONFIRMATION_PATH}/{{token}}", _confirmation, methods=["GET", "POST"]),
    ]


async def _unsubscribe(request: Request) -> Response:
    """One-click unsubscribe (RFC 8058): the mail program's POST and the button's are the same."""
    target = links.read_unsubscribe(request.path_params["token"])
    if target is None:
        return await _broken()
    person = await preferences.person_of(target)
    if person is None:
        return await _nobody()
    done = request.method == "POST"
    if done:
        await read_form(request, MAX_BODY_BYTES)
        await preferences.unsubscribe(person, ConsentSource.ONE_CLICK, _proof(request))
    return await page(
        "unsubscribe",
        "Unsubscribe",
        done=done,
        kind=_KINDS[person.channel],
        address=preferences.masked(person.address),
        preferences_url=links.preferences_url(person.profile_id, person.channel, person.address, person.message_id),
    )


async def _preferences(request: Request) -> Response:
    target = links.read_preferences(request.path_params["token"])
    if target is None:
        return await _broken()
    person = await preferences.person_of(target)
    if person is None:
        return await _nobody()
    note = problem = None
    if request.method == "POST":
        try:
            note = await _change(person, await read_form(request, MAX_BODY_BYTES), _proof(request))
        except DomainError:
            problem = "The texts on this page have changed meanwhile. Please read them again, then save."
    now = await preferences.of(person)
    shop = await shop_queries.current()
    held_until = now.held_until and format_date(now.held_until.date(), "long", locale=text_locale(shop.locale))
    return await page(
        "preferences",
        "Your messages",
        note=note,
        problem=problem,
        channels=[_shown(channel) for channel in now.channels],
        any_on=any(channel.state is not ConsentAction.REVOKED and channel.state for channel in now.channels),
        held_until=held_until,
        hold_days=preferences.HOLD_DAYS,
    )


async def _change(person: Person, form: dict[str, list[str]], proof: Proof) -> str | None:
    """Do what the pressed button says; what is told about it."""
    match form.get("action", [""])[-1]:
        case "save":
            chosen = form.get("channel", [])
            texts = {
                channel: ids.decode("ctext", shown[-1]) for channel in _NAMES if (shown := form.get(f"text_{channel}"))
            }
            await preferences.choose(person, {channel: channel in chosen for channel in texts}, proof, texts=texts)
            return "Saved."
        case "none":
            await preferences.choose(person, dict.fromkeys(preferences.CHANNELS, False), proof)
            return "You are unsubscribed from everything."
        case "hold":
            await preferences.hold(person)
            return "Enjoy the break."
        case "resume":
            await preferences.resume(person)
            return "Welcome back."
        case _:
            return None


def _shown(preference: ChannelPreference) -> dict[str, object]:
    states = {
        None: "not subscribed",
        ConsentAction.REVOKED: "not subscribed",
        ConsentAction.GRANTED: "subscribed",
        ConsentAction.REQUESTED: "waiting for your confirmation",
    }
    return {
        "key": preference.channel.value,
        "name": _NAMES[preference.channel],
        "address": preferences.masked(preference.address),
        "state": "stopped; write to us to start again" if preference.suppressed else states[preference.state],
        "on": preference.state in (ConsentAction.GRANTED, ConsentAction.REQUESTED) and not preference.suppressed,
        "fixed": preference.suppressed,
        "wording": preference.wording.text,
        "text_id": ids.encode("ctext", preference.wording.id),
    }


async def _confirmation(request: Request) -> Response:
    """Double opt-in: opening the link shows a button, pressing it confirms."""
    consent_id = links.read_confirmation(request.path_params["token"])
    asked = await consent.find(consent_id) if consent_id else None
    if consent_id is None or asked is None:
        return await _broken()
    if not asked.address:
        return await _nobody()
    if request.method == "POST":
        await read_form(request, MAX_BODY_BYTES)
        await preferences.confirm(consent_id, _proof(request))
    state = await consent.state(asked.channel, asked.address)
    wording = await consent_texts.find(asked.text_id) if asked.text_id else None
    return await page(
        "confirm",
        "Your subscription",
        state=state.value if state else "",
        address=preferences.masked(asked.address),
        wording=wording.text if wording else "",
    )


async def _broken() -> Response:
    """The same for a link that was cut off, altered or made with a key that is gone."""
    return await page(
        "message",
        "Link",
        status=404,
        heading="This link does not work",
        text="It may have been cut off. Please open it from the message again, or write to us.",
    )


async def _nobody() -> Response:
    return await page(
        "message",
        "Your messages",
        heading="We have nothing to send you",
        text="The address that this link was made for is not in our books any more, so it gets no news from us.",
    )


def _proof(request: Request) -> Proof:
    settings: Settings = request.app.state.settings
    return Proof(client_ip(request, settings), request.headers.get("user-agent"))
