"""The carriers we know by name: how they are written, what else people call them, and their tracking pages.

A carrier that is not listed keeps the name that staff typed; it only has no tracking link. A page is listed
only where it takes the number in its address: a link that leads nowhere is worse than none.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from app.errors import CommonErrorCode, DomainError

MAX_CARRIER_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class Carrier:
    """A parcel carrier.

    Attributes:
        code: stable name for programs.
        home: countries (ISO 3166-1 alpha-2) that its own parcels start in; empty for a worldwide carrier.
        aliases: other spellings that mean this carrier.
        tracking_page: its public tracking page, with `{number}` in it.
    """

    code: str
    name: str
    home: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    tracking_page: str | None = None

    def tracking_url(self, number: str) -> str | None:
        return self.tracking_page and self.tracking_page.format(number=quote(number, safe=""))


_LA_POSTE_PAGE = "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"

_TRACKING_PAGES = {
    "ups": "https://www.ups.com/track?tracknum={number}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
    "dhl": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
    "dhl_express": "https://www.dhl.com/global-en/home/tracking/tracking-express.html?submit=1&tracking-id={number}",
    "dhl_paket": "https://www.dhl.de/de/privatkunden/pakete-empfangen/verfolgen.html?piececode={number}",
    "royal_mail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "parcelforce": "https://www.parcelforce.com/track-trace?trackNumber={number}",
    "evri": "https://www.evri.com/track/parcel/{number}",
    "colissimo": _LA_POSTE_PAGE,
    "la_poste": _LA_POSTE_PAGE,
    "chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}",
    "canada_post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
    "japan_post": "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={number}&locale=en",
    "yamato": "https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id={number}",
    "sagawa": "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={number}",
    "amazon": "https://track.amazon.com/tracking/{number}",
    "ontrac": "https://www.ontrac.com/tracking/?number={number}",
    "dpd": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "gls": "https://gls-group.com/GROUP/en/parcel-tracking?match={number}",
    "australia_post": "https://auspost.com.au/mypost/track/details/{number}",
    "bpost": "https://track.bpost.cloud/btr/web/#/search?itemCode={number}",
    "posten": "https://sporing.posten.no/sporing/{number}",
    "postnord": "https://tracking.postnord.com/en/tracking?id={number}",
    "poczta_polska": "https://emonitoring.poczta-polska.pl/?numer={number}",
}

_CARRIERS = (
    ("ups", "UPS", "", ("United Parcel Service",)),
    ("fedex", "FedEx", "", ("Federal Express", "FedEx Ground", "FedEx Express")),
    ("usps", "USPS", "US", ("United States Postal Service", "US Postal Service")),
    ("dhl", "DHL", "", ()),
    ("dhl_express", "DHL Express", "", ()),
    ("dhl_paket", "DHL Paket", "DE", ("DHL Germany", "DHL Deutschland", "Deutsche Post DHL")),
    ("deutsche_post", "Deutsche Post", "DE", ()),
    ("royal_mail", "Royal Mail", "GB", ()),
    ("parcelforce", "Parcelforce", "GB", ("Parcelforce Worldwide",)),
    ("evri", "Evri", "GB", ("Hermes UK", "myHermes")),
    ("colissimo", "Colissimo", "FR", ()),
    ("la_poste", "La Poste", "FR", ()),
    ("chronopost", "Chronopost", "FR", ()),
    ("canada_post", "Canada Post", "CA", ("Postes Canada",)),
    ("japan_post", "Japan Post", "JP", ("日本郵便", "ゆうパック", "Yu-Pack", "JP Post")),
    ("yamato", "Yamato Transport", "JP", ("Yamato", "Kuroneko Yamato", "ヤマト運輸", "クロネコヤマト")),
    ("sagawa", "Sagawa Express", "JP", ("Sagawa", "佐川急便")),
    ("amazon", "Amazon Logistics", "", ("Amazon", "AMZL")),
    ("ontrac", "OnTrac", "US", ()),
    ("dpd", "DPD", "", ()),
    ("gls", "GLS", "", ()),
    ("purolator", "Purolator", "CA", ()),
    ("australia_post", "Australia Post", "AU", ("AusPost",)),
    ("nz_post", "NZ Post", "NZ", ("New Zealand Post",)),
    ("postnl", "PostNL", "NL", ()),
    ("bpost", "bpost", "BE", ()),
    ("swiss_post", "Swiss Post", "CH", ()),
    ("austrian_post", "Austrian Post", "AT", ("Österreichische Post",)),
    ("poste_italiane", "Poste Italiane", "IT", ()),
    ("correos", "Correos", "ES", ()),
    ("an_post", "An Post", "IE", ()),
    ("posten", "Posten", "NO", ("Posten Norge", "Bring")),
    ("postnord", "PostNord", "SE DK", ()),
    ("posti", "Posti", "FI", ()),
    ("poczta_polska", "Poczta Polska", "PL", ()),
    ("china_post", "China Post", "CN", ()),
    ("hongkong_post", "Hongkong Post", "HK", ()),
    ("singapore_post", "Singapore Post", "SG", ("SingPost",)),
    ("korea_post", "Korea Post", "KR", ()),
    ("correios", "Correios", "BR", ()),
)

CARRIERS = {
    code: Carrier(code, name, frozenset(home.split()), aliases, _TRACKING_PAGES.get(code))
    for code, name, home, aliases in _CARRIERS
}


@cache
def _by_spelling() -> dict[str, Carrier]:
    return {
        _spelling(word): carrier
        for carrier in CARRIERS.values()
        for word in (carrier.code, carrier.name, *carrier.aliases)
    }


def _spelling(text: str) -> str:
    """What the spellings of one name have in common: 'fed-ex', 'FedEx' and 'FED EX' are one."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).casefold())


def carrier_named(text: str) -> Carrier | None:
    return _by_spelling().get(_spelling(text))


def normalise_carrier_name(text: str, field: list[str | int] | None = None) -> str:
    """The name as the carrier writes it ('ups' -> 'UPS'); an unknown one as it was typed, with single spaces.

    Raises:
        DomainError: REQUIRED for a blank name, TOO_LONG, INVALID for control characters.
    """
    if any(not (character.isprintable() or character == " ") for character in text):
        raise DomainError(CommonErrorCode.INVALID, "A carrier's name cannot hold control characters.", field)
    name = " ".join(text.split())
    if not name:
        raise DomainError(CommonErrorCode.REQUIRED, "Name the carrier, or leave it out.", field)
    if len(name) > MAX_CARRIER_NAME_CHARS:
        message = f"A carrier's name has at most {MAX_CARRIER_NAME_CHARS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, field)
    known = carrier_named(name)
    return known.name if known else name
