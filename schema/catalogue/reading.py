"""From what a query selects to a read, and from its documents to objects of the schema.

For each read a converter is put together that touches only what needs it; a document then becomes its object's
attributes as it is. Lists are hot, so nothing here happens per field of a row that could happen once per request.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypedDict, TypeVar

from app.addresses.postal import PostalAddress
from app.cart.snapshots import VariantSnapshot
from app.catalogue import queries
from app.catalogue.documents import ARGUMENTS, key_in_document
from app.catalogue.models import InventoryPolicy, ProductKind, ProductStatus
from app.catalogue.queries import Found
from app.kit import ids
from app.kit.pagination import encode_cursor
from app.markets.terms import BuyingContext
from app.staff.permissions import Permission
from schema.addresses import Address
from schema.catalogue.types import (
    Collection,
    Image,
    Product,
    ProductOption,
    ProductVariant,
    QuantityPriceBreak,
    SelectedOption,
    Seo,
)
from schema.connections import Connection, Edge, PageInfo
from schema.context import Info
from schema.inventory.types import StockLevel, Warehouse
from schema.money import Money, MoneyRange
from schema.nodes import node_loader
from schema.selection import Selection, selection_check
from schema.shipping.pickup import OpeningHours
from schema.terms.types import QuantityRule, availability_of, customizations_of

T = TypeVar("T")
Convert = Callable[[Any], Any]


def sees_hidden(info: Info) -> bool:
    """Whether drafts, costs and exact stock are there for whoever asks."""
    staff = info.context.staff
    return staff is not None and staff.may(Permission.PRODUCTS_READ)


class Sight(TypedDict):
    """How the catalogue's reads are told who asks."""

    sees_hidden: bool
    buying: BuyingContext | None


def sight(info: Info) -> Sight:
    """Who looks after the products sees the shop's own prices, unless they ask for those of a market."""
    staff, buying = sees_hidden(info), info.context.buying
    return Sight(sees_hidden=staff, buying=None if staff and buying and not buying.is_chosen else buying)


def _adopt(cls: type[T], attributes: dict[str, Any]) -> T:
    """An instance whose attributes are the document: ten times cheaper than a call with keywords."""
    made = object.__new__(cls)
    made.__dict__ = attributes
    return made


# One object for each amount or option: products share them, and nobody changes them.
_money = lru_cache(maxsize=10_000)(Money.of)


@lru_cache(maxsize=10_000)
def _selected_option(name: str, value: str) -> SelectedOption:
    return SelectedOption(name=name, value=value)


class Converters:
    """For one read: its currencies, and where this API is to be reached."""

    def __init__(self, info: Info, found: Found) -> None:
        self.currency = found.currency
        self.shop_currency = found.shop_currency
        self.exchange = found.exchange
        self.public_url = info.context.settings.public_url

    def money(self, amount_minor: int | None) -> Money | None:
        return None if amount_minor is None else _money(amount_minor, self.currency)

    def cost(self, amount_minor: int | None) -> Money | None:
        return None if amount_minor is None else _money(amount_minor, self.shop_currency)

    def price_breaks(self, documents: list[dict[str, int]]) -> list[QuantityPriceBreak]:
        return [
            QuantityPriceBreak(
                minimum_quantity=document["min_quantity"], price=_money(document["unit_price_minor"], self.currency)
            )
            for document in documents
            if document["min_quantity"] > 1
        ]

    def money_range(self, bounds: list[int | None]) -> MoneyRange | None:
        lowest, highest = bounds
        if lowest is None or highest is None:
            return None
        return MoneyRange(min=_money(lowest, self.currency), max=_money(highest, self.currency))

    def image(self, document: dict[str, Any] | None) -> Image | None:
        if document is None:
            return None
        if document["url"].startswith("/"):
            document["url"] = self.public_url + document["url"]
        return _adopt(Image, document)

    def images(self, documents: list[dict[str, Any]]) -> list[Image | None]:
        return [self.image(document) for document in documents]

    def stock_levels(self, documents: list[dict[str, Any]] | None) -> list[StockLevel] | None:
        if documents is None:
            return None
        for document in documents:
            document["warehouse"] = _warehouse(document["warehouse"])
            document["updated_at"] = dt.datetime.fromisoformat(document["updated_at"])
        return [_adopt(StockLevel, document) for document in documents]

    def variant(self, selection: Selection) -> Convert:
        steps: dict[str, Convert] = {
            "price": self.money,
            "compareAtPrice": self.money,
            "quantityPriceBreaks": self.price_breaks,
            "cost": self.cost,
            "selectedOptions": _selected_options,
            "image": self.image,
            "inventoryPolicy": InventoryPolicy,
            "stockLevels": self.stock_levels,
            "availability": availability_of,
            "availableFrom": _moment,
            "restockExpectedAt": _moment,
            "createdAt": dt.datetime.fromisoformat,
            "updatedAt": dt.datetime.fromisoformat,
        }
        if "product" in selection:
            steps["product"] = self.product(selection.below("product"))
        return _converter(ProductVariant, selection, steps)

    def product(self, selection: Selection) -> Convert:
        steps: dict[str, Convert] = {
            "status": ProductStatus,
            "kind": ProductKind,
            "seo": lambda document: _adopt(Seo, document),
            "featuredImage": self.image,
            "images": self.images,
            "options": lambda documents: [_adopt(ProductOption, document) for document in documents],
            "priceRange": self.money_range,
            "compareAtPriceRange": self.money_range,
            "customizations": lambda documents: customizations_of(documents, self.currency, self.exchange),
            "quantityRule": lambda document: document and _adopt(QuantityRule, document),
            "createdAt": dt.datetime.fromisoformat,
            "updatedAt": dt.datetime.fromisoformat,
        }
        if "variants" in selection:
            steps["variants"] = self.connection(selection.below("variants"), self.variant)
        if "variantBySelectedOptions" in selection:
            steps["variantBySelectedOptions"] = self.variant(selection.below("variantBySelectedOptions"))
        if "collections" in selection:
            steps["collections"] = self.connection(selection.below("collections"), self.collection)
        if "recommendations" in selection:
            suggested = self.product(selection.below("recommendations"))
            steps["recommendations"] = lambda documents: [suggested(document) for document in documents]
        return _converter(Product, selection, steps)

    def collection(self, selection: Selection) -> Convert:
        steps: dict[str, Convert] = {
            "seo": lambda document: _adopt(Seo, document),
            "image": self.image,
            "createdAt": dt.datetime.fromisoformat,
            "updatedAt": dt.datetime.fromisoformat,
        }
        if "products" in selection:
            steps["products"] = self.connection(selection.below("products"), self.product)
        return _converter(Collection, selection, steps)

    def connection(self, selection: Selection, of_nodes: Callable[[Selection], Convert]) -> Convert:
        """For a document that `statements.connection` describes."""
        node = of_nodes(selection.nodes())
        wants_edges, wants_page_info = "edges" in selection, "pageInfo" in selection

        def convert(document: dict[str, Any]) -> Connection[Any]:
            rows, order = document["rows"], document["order"]
            more = len(rows) > document["limit"]
            del rows[document["limit"] :]
            if document["backward"]:
                rows.reverse()
            keys = [row.pop("_cursor") for row in rows]
            made: dict[str, Any] = {"nodes": [node(row) for row in rows], "total_count": document["total"]}
            if wants_edges:
                made["edges"] = [
                    Edge(cursor=encode_cursor(key, order), node=item)
                    for key, item in zip(keys, made["nodes"], strict=True)
                ]
            if wants_page_info:
                backward, resumed = document["backward"], document["resumed"]
                made["page_info"] = PageInfo(
                    has_next_page=resumed if backward else more,
                    has_previous_page=more if backward else resumed,
                    start_cursor=encode_cursor(keys[0], order) if keys else None,
                    end_cursor=encode_cursor(keys[-1], order) if keys else None,
                )
            return _adopt(Connection, made)

        return convert


def _warehouse(document: dict[str, Any]) -> Warehouse:
    if document["address"]:
        document["address"] = Address.of(PostalAddress.from_json(document["address"]))
    document["opening_hours"] = OpeningHours.all_of(document["opening_hours"])
    return _adopt(Warehouse, document)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _selected_options(names_and_values: list[Any]) -> list[SelectedOption]:
    names, values = names_and_values
    return [_selected_option(name, value) for name, value in zip(names or (), values, strict=True)]


def _converter(cls: type, selection: Selection, steps: dict[str, Convert]) -> Convert:
    needed: dict[str, Convert] = {}
    for field in selection:
        if field.name in steps:
            key = key_in_document(field.name, field) if field.name in ARGUMENTS else to_snake(field.name)
            needed[key] = steps[field.name]

    def convert(document: dict[str, Any] | None) -> Any:
        if document is None:
            return None
        for key, step in needed.items():
            document[key] = step(document[key])
        return _adopt(cls, document)

    return convert


@lru_cache(maxsize=1000)
def to_snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


selection_check("Product")(queries.check_wanted_of_product)
selection_check("ProductVariant")(queries.check_wanted_of_variant)
selection_check("Collection")(queries.check_wanted_of_collection)

# --- what the rest of the schema uses ---------------------------------------------------------------------------------


def product_of(info: Info, found: Found, selection: Selection) -> Product | None:
    product: Product | None = Converters(info, found).product(selection)(found.document)
    return product


def collection_of(info: Info, found: Found, selection: Selection) -> Collection | None:
    collection: Collection | None = Converters(info, found).collection(selection)(found.document)
    return collection


def product_connection_of(info: Info, found: Found, selection: Selection) -> Connection[Product]:
    converters = Converters(info, found)
    page: Connection[Product] = converters.connection(selection, converters.product)(found.document)
    return page


def collection_connection_of(info: Info, found: Found, selection: Selection) -> Connection[Collection]:
    converters = Converters(info, found)
    page: Connection[Collection] = converters.connection(selection, converters.collection)(found.document)
    return page


async def load_products(info: Info, product_ids: Sequence[uuid.UUID], selection: Selection) -> dict[uuid.UUID, Product]:
    """Those that whoever asks may see, by id, in one statement."""
    found = await queries.products_by_id(product_ids, selection, **sight(info))
    return _by_id("prod", found, Converters(info, found).product(selection))


async def load_variants(
    info: Info, variant_ids: Sequence[uuid.UUID], selection: Selection, *, off_sale_too: bool = False
) -> dict[uuid.UUID, ProductVariant]:
    """Those that whoever asks may see, by id, in one statement.

    Args:
        off_sale_too: for carts and orders: also what is not sold any more.
    """
    found = await queries.variants_by_id(variant_ids, selection, **sight(info), off_sale_too=off_sale_too)
    return _by_id("var", found, Converters(info, found).variant(selection))


_KNOWN: dict[str, Callable[[VariantSnapshot], object]] = {
    "id": lambda known: ids.encode("var", known.variant_id),
    "name": lambda known: known.variant_name,
    "sku": lambda known: known.sku,
    "weightGrams": lambda known: known.weight_grams,
    "requiresShipping": lambda known: known.requires_shipping,
    "taxable": lambda known: known.taxable,
    "trackInventory": lambda known: known.track_inventory,
    "inventoryPolicy": lambda known: known.inventory_policy,
    "price": lambda known: known.unit_price_minor,
}


def known_variants(
    info: Info, known: Sequence[VariantSnapshot], selection: Selection, *, markets: int | None
) -> dict[uuid.UUID, ProductVariant] | None:
    """As `load_variants`, from what a cart has read of them a moment ago: no statement for what shops show of a line.

    Args:
        markets: their version at that moment.

    Returns:
        None where something has to be read that the cart does not know: such as prices that are the viewer's own, or
        those of other quantities.
    """
    names, buying = [field.name for field in selection], info.context.buying
    if not all(name in _KNOWN for name in names):
        return None
    currency = None
    if "price" in selection:
        own = buying is None or buying.own_prices or buying.version != markets or sees_hidden(info)
        if buying is None or own or any(variant.price_breaks for variant in known):
            return None
        currency = buying.market.currency_code
    made = {}
    for variant in known:
        attributes: dict[str, Any] = {to_snake(name): _KNOWN[name](variant) for name in names}
        if currency is not None:
            attributes["price"] = _money(variant.unit_price_minor, currency)
        made[variant.variant_id] = _adopt(ProductVariant, attributes)
    return made


async def load_collections(
    info: Info, collection_ids: Sequence[uuid.UUID], selection: Selection
) -> dict[uuid.UUID, Collection]:
    """Those that whoever asks may see, by id, in one statement."""
    found = await queries.collections_by_id(collection_ids, selection, **sight(info))
    return _by_id("coll", found, Converters(info, found).collection(selection))


def _by_id(prefix: str, found: Found, convert: Convert) -> dict[uuid.UUID, Any]:
    return {ids.decode(prefix, document["id"]): convert(document) for document in found.document}


@node_loader("prod")
async def _product_nodes(info: Info, texts: Sequence[str], selection: Selection) -> list[Product | None]:
    wanted = [ids.decode("prod", text, ["id"]) for text in texts]
    found = await load_products(info, wanted, selection)
    return [found.get(product_id) for product_id in wanted]


@node_loader("var")
async def _variant_nodes(info: Info, texts: Sequence[str], selection: Selection) -> list[ProductVariant | None]:
    wanted = [ids.decode("var", text, ["id"]) for text in texts]
    found = await load_variants(info, wanted, selection)
    return [found.get(variant_id) for variant_id in wanted]


@node_loader("coll")
async def _collection_nodes(info: Info, texts: Sequence[str], selection: Selection) -> list[Collection | None]:
    wanted = [ids.decode("coll", text, ["id"]) for text in texts]
    found = await load_collections(info, wanted, selection)
    return [found.get(collection_id) for collection_id in wanted]
