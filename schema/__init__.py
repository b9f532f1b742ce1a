"""The GraphQL schema, put together from the domains' parts."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.accounts import AccountMutations, AccountQueries
from schema.alerts import AlertMutations
from schema.assisted import (
    DraftBuyingMutations,
    DraftBuyingQueries,
    DraftOrderMutations,
    DraftOrderQueries,
    OrderHoldMutations,
)
from schema.audit import AuditQueries
from schema.campaigns import CampaignMutations, CampaignQueries
from schema.cart import CartMutations, CartQueries
from schema.cart.restoring import CartRestoreQueries
from schema.catalogue import CatalogueMutations, CatalogueQueries
from schema.catalogue.exporting import ExportMutations
from schema.checkout import CheckoutMutations, CheckoutQueries
from schema.companies import CompanyMutations, CompanyQueries, OrderApprovalMutations, OrderApprovalQueries
from schema.consent import ConsentMutations, ConsentQueries
from schema.crm import CrmMutations, CrmQueries
from schema.customers import CustomerMutations, CustomerQueries
from schema.development import DevelopmentMutations
from schema.discounts import DiscountMutations, DiscountQueries
from schema.discrepancies import DiscrepancyMutations, DiscrepancyQueries
from schema.disputes import DisputeQueries
from schema.engine import Schema
from schema.errors import ERROR_TYPES
from schema.flows import FlowMutations, FlowQueries
from schema.fulfillments import FulfillmentMutations, FulfillmentQueries, FulfillmentSubscriptions
from schema.gift_cards import GiftCardMutations, GiftCardQueries, StoreCreditMutations
from schema.gifting import GiftingMutations, GiftingQueries
from schema.inventory.operations import InventoryMutations, InventoryQueries
from schema.invoices import InvoiceMutations, InvoiceQueries
from schema.jobs import JobMutations, JobQueries, JobSubscriptions
from schema.manual_payments import ManualPaymentMutations
from schema.marketing_settings import MarketingSettingsMutations, MarketingSettingsQueries
from schema.markets import (
    CustomerGroupMutations,
    CustomerGroupQueries,
    MarketMutations,
    MarketQueries,
    PriceListMutations,
    PriceListQueries,
)
from schema.messaging import DevInboxQueries, MessagingMutations, MessagingQueries
from schema.nodes import NodeQueries
from schema.operations import OperationsMutations, OperationsQueries
from schema.order_payments import OrderPaymentMutations
from schema.orders import OrderMutations, OrderQueries
from schema.orders.editing import OrderEditMutations
from schema.orders.pickup import PickupMutations
from schema.payment_settings import PaymentSettingsMutations, PaymentSettingsQueries
from schema.privacy import PrivacyMutations, PrivacyQueries
from schema.referrals import ReferralMutations, ReferralQueries
from schema.refunds import RefundMutations
from schema.scalars import SCALAR_MAP
from schema.segments import SegmentMutations, SegmentQueries
from schema.shipping import PickupQueries, QuoteQueries, ZoneMutations, ZoneQueries
from schema.shop import ShopMutations, ShopQueries
from schema.staff import StaffMutations, StaffQueries
from schema.suppressions import SuppressionMutations, SuppressionQueries
from schema.surveys import SurveyMutations, SurveyQueries
from schema.taxes import TaxMutations, TaxQueries
from schema.templates import TemplateMutations, TemplateQueries
from schema.terms.operations import TermsMutations
from schema.webhooks import WebhookMutations, WebhookQueries


@strawberry.type(description="Everything that can be read.")
class Query(
    AuditQueries,
    AccountQueries,
    CampaignQueries,
    CartQueries,
    CartRestoreQueries,
    CatalogueQueries,
    CheckoutQueries,
    CustomerQueries,
    CustomerGroupQueries,
    CompanyQueries,
    OrderApprovalQueries,
    ConsentQueries,
    CrmQueries,
    DiscountQueries,
    DraftBuyingQueries,
    DraftOrderQueries,
    FlowQueries,
    FulfillmentQueries,
    GiftCardQueries,
    GiftingQueries,
    InventoryQueries,
    InvoiceQueries,
    JobQueries,
    MarketingSettingsQueries,
    MarketQueries,
    PriceListQueries,
    NodeQueries,
    MessagingQueries,
    OperationsQueries,
    OrderQueries,
    DiscrepancyQueries,
    DisputeQueries,
    PaymentSettingsQueries,
    PrivacyQueries,
    SegmentQueries,
    ShopQueries,
    ReferralQueries,
    StaffQueries,
    TaxQueries,
    TemplateQueries,
    SurveyQueries,
    SuppressionQueries,
    WebhookQueries,
    PickupQueries,
    QuoteQueries,
    ZoneQueries,
):
    pass


@strawberry.type(name="Query", description="Everything that can be read.")
class DevelopmentQuery(Query, DevInboxQueries):
    pass


@strawberry.type(description="Everything that can be changed.")
class Mutation(
    AccountMutations,
    CampaignMutations,
    CatalogueMutations,
    CartMutations,
    CheckoutMutations,
    AlertMutations,
    CustomerMutations,
    CustomerGroupMutations,
    CompanyMutations,
    OrderApprovalMutations,
    ConsentMutations,
    CrmMutations,
    DiscountMutations,
    DraftBuyingMutations,
    DraftOrderMutations,
    ExportMutations,
    FlowMutations,
    FulfillmentMutations,
    GiftCardMutations,
    GiftingMutations,
    StoreCreditMutations,
    InventoryMutations,
    InvoiceMutations,
    JobMutations,
    MarketingSettingsMutations,
    MarketMutations,
    PriceListMutations,
    MessagingMutations,
    OperationsMutations,
    OrderHoldMutations,
    OrderMutations,
    DiscrepancyMutations,
    OrderPaymentMutations,
    ManualPaymentMutations,
    PaymentSettingsMutations,
    OrderEditMutations,
    PickupMutations,
    PrivacyMutations,
    SegmentMutations,
    ShopMutations,
    ReferralMutations,
    RefundMutations,
    StaffMutations,
    TaxMutations,
    TemplateMutations,
    TermsMutations,
    SurveyMutations,
    SuppressionMutations,
    WebhookMutations,
    ZoneMutations,
):
    pass


@strawberry.type(name="Mutation", description="Everything that can be changed.")
class DevelopmentMutation(Mutation, DevelopmentMutations):
    pass


@strawberry.type(description="Everything that can be watched.")
class Subscription(FulfillmentSubscriptions, JobSubscriptions):
    pass


def build_schema(
    *,
    development: bool,
    introspection: bool = True,
    suggestions: bool | None = None,
    timeout_seconds: float | None = None,
) -> Schema:
    """The schema; with `development`, the developer's clock and inbox are in it."""
    return Schema(
        introspection=introspection,
        suggestions=suggestions,
        timeout_seconds=timeout_seconds,
        query=DevelopmentQuery if development else Query,
        mutation=DevelopmentMutation if development else Mutation,
        subscription=Subscription,
        types=ERROR_TYPES,
        config=StrawberryConfig(scalar_map=SCALAR_MAP),
    )


__all__ = ["build_schema"]
