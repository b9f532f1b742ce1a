"""What was written to people, and what they answered."""

from app.privacy.tables import Table, Whose, columns

_MESSAGE = "t.message_id IN :messages"
_NOBODY_ELSES_PHONE = """t.sender = ANY(:phones) AND NOT EXISTS (
        SELECT FROM profiles p
        WHERE p.phone = t.sender AND p.merged_into_id IS NULL AND NOT p.id = ANY(:profiles)
    )"""

TABLES = (
    Table(
        "messages",
        Whose.PERSON,
        columns(
            id="id dedupe_key order_id resend_of campaign_id cart_id flow_id profile_id run_id template_version_id",
            contact="recipient",
            text="context detail",
            behaviour="bounced_at clicked_at complained_at delivered_at unsubscribed_at sent_at",
            fact="channel purpose template state reason attempts leased_until created_at priority provider segments "
            "step_key provider_reference",
        ),
        rows="(t.profile_id = ANY(:profiles) OR t.order_id IN :orders)",
        section="messages",
        emptied={
            "recipient": "''",
            "context": "'{}'::jsonb",
            "detail": "NULL",
            "provider_reference": "NULL",
        },
        why="That something was sent, and what it led to, is counted; to whom is gone.",
    ),
    Table(
        "message_links",
        Whose.PERSON,
        columns(id="id message_id", fact="position created_at", hidden="url code"),
        rows=_MESSAGE,
        section="messageLinks",
    ),
    Table(
        "message_clicks",
        Whose.PERSON,
        columns(id="id message_id link_id", behaviour="is_bot clicked_at"),
        rows=_MESSAGE,
        section="clicks",
    ),
    Table(
        "dev_messages",
        Whose.PERSON,
        columns(
            id="id message_id",
            contact="recipient",
            text="content",
            fact="channel purpose template deliveries sent_at flow_key step_key",
        ),
        rows=f"({_MESSAGE} OR lower(t.recipient) = ANY(:emails))",
        why="Development alone; the messages themselves are exported.",
    ),
    Table(
        "provider_notices",
        Whose.PERSON,
        columns(id="id message_id external_id", fact="provider received_at", behaviour="kind"),
        rows=_MESSAGE,
        section="providerNotices",
    ),
    Table(
        "inbound_sms",
        Whose.PERSON,
        columns(id="id external_id profile_id", contact="sender", text="body", fact="provider keyword received_at"),
        rows=f"(t.profile_id = ANY(:profiles) OR t.profile_id IS NULL AND {_NOBODY_ELSES_PHONE})",
        section="receivedTexts",
    ),
    Table(
        "survey_responses",
        Whose.PERSON,
        columns(
            id="id profile_id order_id message_id dedupe_key",
            behaviour="survey score",
            text="comment",
            fact="created_at updated_at",
        ),
        rows="t.profile_id = ANY(:profiles)",
        section="surveyAnswers",
        emptied={"comment": "NULL"},
        why="The score is counted among everybody's.",
    ),
    Table(
        "attributions",
        Whose.PERSON,
        columns(id="id order_id message_id flow_id campaign_id", fact="step_key revenue_minor attributed_at"),
        rows="t.order_id IN :orders",
        section="attributions",
        why="Which message brought how much: the flow's figures.",
    ),
)
