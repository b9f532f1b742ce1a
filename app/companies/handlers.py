"""What follows in companies: mails to whoever is invited, asked or answered, and approvals that are over."""

from app import events
from app.companies import approvals, invitations
from app.events import Event
from app.messaging import draft_order_mails, order_approval_mails, staff_notices


@events.on(invitations.INVITED, name="companies.invitation")
async def on_invited(event: Event) -> None:
    if event.subject_id is not None:
        await draft_order_mails.reserve_invitation(event.subject_id, event.id)


@events.on(approvals.REQUESTED, name="companies.approval_request")
async def on_approval_requested(event: Event) -> None:
    """Where the company has no other approver, the shop's own people are told."""
    if event.subject_id is not None and not await order_approval_mails.reserve_request(event.subject_id):
        await staff_notices.reserve(
            dedupe_key=f"order-approval:{event.subject_id.hex}",
            subject="A company's buyer asks for an approval",
            text="It is among orderApprovals, PENDING, and the company has nobody else who could decide: decide with "
            "orderApprovalApprove or orderApprovalReject, or make somebody an approver with companyMemberUpdate.",
        )


@events.on(approvals.DECIDED, name="companies.approval_decision")
async def on_approval_decided(event: Event) -> None:
    if event.subject_id is not None:
        await order_approval_mails.reserve_decision(event.subject_id)


@events.on(approvals.EXPIRES, name="companies.approval_expiry")
async def on_approval_expires(event: Event) -> None:
    if event.subject_id is not None:
        await approvals.expire(event.subject_id)
