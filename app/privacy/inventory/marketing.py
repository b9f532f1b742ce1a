"""Flows, segments, campaigns, discounts, referrals, alerts and connected systems, as far as they are about people."""

from app.privacy.tables import Table, Whose, columns

_PROFILES = "t.profile_id = ANY(:profiles)"

TABLES = (
    Table(
        "flow_runs",
        Whose.PERSON,
        columns(
            id="id flow_id version_id profile_id key trigger_event_id",
            text="trigger state",
            behaviour="status step_key in_holdout trigger_type entered_at finished_at exit_reason triggered_at",
            fact="revision due_at waiting_for",
        ),
        rows=_PROFILES,
        section="flowRuns",
        emptied={"trigger": "'{}'::jsonb", "state": "'{}'::jsonb"},
        why="How many went which way is a flow's figures.",
    ),
    Table(
        "flow_run_steps",
        Whose.PERSON,
        columns(id="id run_id flow_id message_id", behaviour="step_key kind outcome reason at", text="detail"),
        rows="t.run_id IN :runs",
        section="flowSteps",
        emptied={"detail": "'{}'::jsonb"},
    ),
    Table(
        "flow_dates",
        Whose.PERSON,
        columns(id="id flow_id profile_id", fact="trigger_index", behaviour="due_at"),
        rows=_PROFILES,
        section="plannedDates",
    ),
    Table(
        "segment_memberships",
        Whose.PERSON,
        columns(id="id segment_id profile_id", behaviour="member changed_at"),
        rows=_PROFILES,
        section="segments",
    ),
    Table(
        "campaign_recipients",
        Whose.PERSON,
        columns(id="id campaign_id profile_id", fact="due_at handled_at tries failure"),
        rows=_PROFILES,
        section="campaigns",
        why="Whom a campaign was for is counted; the profile's address is gone.",
    ),
    Table(
        "discount_codes",
        Whose.PERSON,
        columns(
            id="id discount_id profile_id issued_by job_id",
            behaviour="code",
            fact="usage_limit used_count starts_at ends_at disabled_at created_at",
        ),
        rows=_PROFILES,
        section="coupons",
        why="A code that was drawn by lot names nobody; what it took off is in the books.",
    ),
    Table(
        "discount_redemptions",
        Whose.PERSON,
        columns(
            id="id discount_id code_id attempt_id order_id profile_id",
            fact="amount_minor state created_at",
            hidden="contact_hash",
        ),
        rows="(t.profile_id = ANY(:profiles) OR t.order_id IN :orders)",
        section="redemptions",
        why="The books. A keyed hash of the address keeps a discount from being used more often than it may be.",
    ),
    Table(
        "referral_codes",
        Whose.PERSON,
        columns(id="id profile_id discount_code_id", fact="created_at"),
        rows=_PROFILES,
        section="referralCode",
        why="A code that was drawn by lot; friends may still hold it.",
    ),
    Table(
        "referrals",
        Whose.PERSON,
        # The other side is somebody else: who brought somebody learns that there was a friend, and never who.
        columns(
            id="id referral_code_id reward_code_id",
            fact="state reason created_at settled_at",
            hidden="friend_profile_id order_id",
        ),
        rows="t.referral_code_id IN (SELECT id FROM referral_codes WHERE profile_id = ANY(:profiles))",
        section="referrals",
        why="Rewards that were given are in the books; both sides are ids that lead to nobody once they are erased.",
    ),
    Table(
        "product_alerts",
        Whose.PERSON,
        columns(
            id="id profile_id variant_id company_id",
            behaviour="kind created_at triggered_at cancelled_at",
            fact="price_minor market_id currency_code",
        ),
        rows=_PROFILES,
        section="alerts",
    ),
    Table(
        "crm_contacts",
        Whose.PERSON,
        columns(
            id="id connection_id profile_id remote_id",
            fact="wanted_revision synced_revision synced_at failure",
        ),
        rows=_PROFILES,
        section="connectedSystems",
    ),
)
