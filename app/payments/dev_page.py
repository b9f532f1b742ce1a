"""The test gateway's page, where the shopper approves a payment or does not. Only in development.

It stands for the page of a bank (3-D Secure). Opening it changes nothing; a click is a POST.
"""

import uuid
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app import db
from app.kit.money import Money
from app.payments import test_gateway
from app.payments.gateway import GatewayState
from app.web.body import read_body

MAX_BODY_BYTES = 1000

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test payment</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }}
  main {{ width: min(24rem, calc(100vw - 4rem)); padding: 2rem; border: 1px solid #8884; border-radius: .75rem; }}
  h1 {{ margin: 0; font-size: 1rem; font-weight: 600; }}
  .amount {{ margin: .5rem 0 1rem; font-size: 2rem; font-weight: 650; font-variant-numeric: tabular-nums; }}
  form {{ display: flex; gap: .75rem; margin-top: 1.5rem; }}
  button {{ flex: 1; padding: .65rem 1rem; font: inherit; border: 1px solid #8886; border-radius: .5rem;
            background: transparent; color: inherit; cursor: pointer; }}
  button.approve {{ background: #0b6b53; border-color: #0b6b53; color: #fff; }}
  p {{ margin: .75rem 0 0; }}
  code {{ font-size: .9em; }}
</style>
</head>
<body>
<main>
<h1>Test gateway</h1>
<div class="amount">{amount}</div>
{content}
</main>
</body>
</html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_QUESTION = """<p>Your bank wants to know whether this is you. No money moves: this page exists in development only.</p>
<form method="post">
<button class="approve" name="decision" value="approve">Approve</button>
<button name="decision" value="decline">Decline</button>
</form>"""
_NEXT = "<p>Call <code>checkoutComplete</code> again with the same idempotency key to hear how it ended.</p>"
_OUTCOMES = {
    GatewayState.AUTHORIZED: "Approved.",
    GatewayState.CAPTURED: "Approved.",
    GatewayState.DECLINED: "Declined.",
    GatewayState.VOIDED: "This payment was called off: it took too long, or the shop gave it back.",
}


async def page(request: Request) -> Response:
    """`GET` and `POST /dev/payments/{id}`"""
    payment_id: uuid.UUID = request.path_params["id"]
    if request.method == "POST":
        row = await test_gateway.decide(payment_id, approve=await _approves(request))
    else:
        row = await test_gateway.find(payment_id)
    if row is None:
        return HTMLResponse("There is no such payment.", 404)
    return HTMLResponse(_render(row), headers=_HEADERS)


async def _approves(request: Request) -> bool:
    return await read_body(request, MAX_BODY_BYTES) == b"decision=approve"


def _render(row: db.Record) -> str:
    money = Money(row["amount_minor"], row["currency_code"])
    state = GatewayState(row["state"])
    if state is GatewayState.REQUIRES_ACTION:
        content = _QUESTION
    else:
        back = row["return_url"]
        link = f'<p><a href="{escape(back, quote=True)}">Back to the shop</a></p>' if back else ""
        content = f"<p>{_OUTCOMES.get(state, 'Not decided yet.')}</p>{link or _NEXT}"
    return _PAGE.format(amount=escape(f"{money.decimal} {money.currency}"), content=content)
