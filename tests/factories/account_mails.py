"""What people were mailed about their accounts, as the developer's inbox has it after `drain`."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from app import db


@dataclass(frozen=True, slots=True)
class AccountMail:
    template: str
    message: EmailMessage
    text: str

    @property
    def token(self) -> str:
        """Of the link in it."""
        return self.url.rpartition("/")[2]

    @property
    def url(self) -> str:
        found = re.search(r"^https?://\S+$", self.text, flags=re.MULTILINE)
        assert found, self.text
        return found.group()


async def mails(to: str) -> list[AccountMail]:
    """Every mail to the address, the oldest first."""
    rows = await db.fetch(
        "SELECT template, content FROM dev_messages WHERE lower(recipient) = lower($1) ORDER BY id", to
    )
    made = []
    for row in rows:
        message = message_from_bytes(row["content"], policy=policy.default)
        body = message.get_body(("plain",))
        assert isinstance(message, EmailMessage)
        assert body is not None
        made.append(AccountMail(row["template"], message, body.get_content().replace("\r\n", "\n")))
    return made


async def last(to: str, template: str) -> AccountMail:
    """The newest mail of a template to the address."""
    found = [mail for mail in await mails(to) if mail.template == template]
    assert found, f"no {template}"
    return found[-1]


async def templates(to: str) -> list[str]:
    return [mail.template for mail in await mails(to)]
