"""Orders that followed a click: the last click within the shop's window gets the order."""

import uuid

from app import db
from app.messaging import marketing_settings
from app.orders.shop_currency import sql_of_shop_total

# An edit changes the total, and what it gives back with it.
_REFUNDED = """(
    SELECT coalesce(sum(p.amount_minor), 0)::bigint FROM refunds r JOIN refund_parts p ON p.refund_id = r.id
    WHERE r.order_id = o.id AND r.source <> 'EDIT' AND p.state = 'SUCCEEDED'
)"""
_WORTH = f"coalesce({sql_of_shop_total('o', _REFUNDED)}, 0)"
# The order's row stays as it is until this commits: a cancellation that comes meanwhile finds the attribution and
# removes it. A person who was joined with another has clicked as either; whoever restored a cart from a mail and then
# ordered with another email address is found through the cart.
_ATTRIBUTE = f"""
    WITH placed AS (
        SELECT o.id, o.profile_id, o.cart_id, o.placed_at, {_WORTH} AS revenue_minor
        FROM orders o WHERE o.id = $1 AND o.status <> 'CANCELLED' FOR SHARE
    ), people AS (
        SELECT profile_id AS id FROM placed WHERE profile_id IS NOT NULL
        UNION SELECT c.profile_id FROM carts c JOIN placed ON c.id = placed.cart_id WHERE c.profile_id IS NOT NULL
        UNION SELECT p.id FROM profiles p JOIN placed ON p.merged_into_id = placed.profile_id
    ), clicked AS (
        SELECT m.id, m.flow_id, m.step_key, m.campaign_id
        FROM placed CROSS JOIN people
        JOIN messages m ON m.profile_id = people.id
        JOIN message_clicks c ON c.message_id = m.id
        WHERE (m.flow_id IS NOT NULL OR m.campaign_id IS NOT NULL) AND NOT c.is_bot
          AND c.clicked_at <= placed.placed_at
          AND c.clicked_at > placed.placed_at - $2 * interval '1 day'
        ORDER BY c.clicked_at DESC, c.id DESC
        LIMIT 1
    )
    INSERT INTO attributions (order_id, message_id, flow_id, step_key, campaign_id, revenue_minor, attributed_at)
    SELECT placed.id, clicked.id, clicked.flow_id, clicked.step_key, clicked.campaign_id, placed.revenue_minor,
           business_now()
    FROM placed CROSS JOIN clicked
    ON CONFLICT (order_id) DO NOTHING
"""


async def attribute(order_id: uuid.UUID) -> bool:
    """Credit an order to the last message of a flow or campaign that its buyer clicked. Joins the open unit of work.

    The window is `marketing_settings.attribution_days`, back from the moment of the order; revenue is the order's
    total in the shop's currency, less what was refunded. Clicks of scanners and prefetchers do not count.

    Returns:
        False where nothing was clicked, and for an order that is cancelled or credited already.
    """
    return await db.execute(_ATTRIBUTE, order_id, (await marketing_settings.current()).attribution_days) == 1


async def revise(order_id: uuid.UUID) -> None:
    """The order was edited, or money of it has gone back: it is worth what is left. Joins the open unit of work."""
    await db.execute(
        f"UPDATE attributions a SET revenue_minor = {_WORTH} FROM orders o WHERE o.id = $1 AND a.order_id = o.id",
        order_id,
    )


async def withdraw(order_id: uuid.UUID) -> None:
    """A cancelled order is nobody's merit. Joins the open unit of work."""
    await db.execute("DELETE FROM attributions WHERE order_id = $1", order_id)
