"""Messages to residents leave through this port: one adapter for SMS (JSON over HTTP, contract: docs/notifications.md), one for e-mail (SMTP).

An adapter is called outside of every transaction, at least once for a message, each time with the same key: a repeat is the same message.
"""

from __future__ import annotations

import contextlib
import hashlib
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx

CHANNELS: Mapping[str, tuple[str, str]] = {"sms": ("短信", "SMS"), "email": ("电子邮件", "E-mail")}
LONGEST_WAIT = 3600  # seconds
_REFUSED = frozenset({400, 404, 410, 422})  # of the message itself; everything else is the gateway's trouble


class GatewayFailed(Exception):
    """The gateway did not take it: try again, after `retry_after` seconds where it says so. The text names no address."""

    def __init__(self, why: str, retry_after: int | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class GatewayRefused(Exception):
    """The gateway will never take this message (no such number): it is not tried again."""


@dataclass(frozen=True, slots=True)
class Message:
    """key: the same for every try; to: number or address; template: the event; values: what stands in the text; lang: zh | en."""

    key: str
    channel: str
    to: str
    lang: str
    subject: str
    text: str
    template: str
    values: Mapping[str, str]


class Gateway(Protocol):
    """Sends once and gives its receipt (at most 60 characters). Raises GatewayFailed or GatewayRefused."""

    def send(self, message: Message) -> str: ...


class HttpGateway:
    """POST BASE/v1/messages with `Idempotency-Key`; see docs/notifications.md."""

    def __init__(self, base: str, token: str = "", timeout: float = 5.0) -> None:
        self._base, self._token, self._timeout = base.rstrip("/"), token, timeout

    def send(self, message: Message) -> str:
        headers = {"Idempotency-Key": message.key, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        body = {"channel": message.channel, "to": message.to, "lang": message.lang, "text": message.text, "template": message.template, "values": dict(message.values)}
        try:
            answer = httpx.post(f"{self._base}/v1/messages", json=body, headers=headers, timeout=self._timeout, verify=_trusted(), trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GatewayFailed(type(error).__name__) from error
        if answer.status_code in _REFUSED:
            raise GatewayRefused(f"HTTP {answer.status_code}")
        if answer.status_code not in (200, 201, 202):
            raise GatewayFailed(f"HTTP {answer.status_code}", _wait(answer.headers.get("Retry-After", "")))
        return _receipt(answer)


def _receipt(answer: httpx.Response) -> str:
    """`id` of the answer; an answer without one has been given all the same."""
    try:
        said: Any = answer.json()
    except ValueError:
        return ""
    found = said.get("id") if isinstance(said, dict) else None
    return str(found)[:60] if isinstance(found, (str, int)) and str(found).isprintable() else ""


def _wait(said: str) -> int | None:
    return min(int(said), LONGEST_WAIT) if said.isascii() and said.isdecimal() and len(said) < 9 else None


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class SmtpGateway:
    """smtp://USER:PASSWORD@HOST:PORT (STARTTLS where the server offers it) or smtps://…; the Message-ID is made from the key, so that a repeat has the same one."""

    def __init__(self, address: str, sender: str, timeout: float = 10.0) -> None:
        parts = urlsplit(address)
        self._secure, self._host, self._port = parts.scheme == "smtps", parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender, self._timeout = sender, timeout

    def send(self, message: Message) -> str:
        letter = EmailMessage()
        number = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{self._sender.rpartition('@')[2] or 'localhost'}>"
        letter["From"], letter["To"], letter["Subject"], letter["Message-ID"] = self._sender, message.to, message.subject, number
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        try:
            server = self._open()
            try:
                server.send_message(letter)
            finally:
                with contextlib.suppress(smtplib.SMTPException, OSError):  # what was taken stays taken, however the server says good-bye
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            if code >= 500:
                raise GatewayRefused(f"SMTP {code}") from None
            raise GatewayFailed(f"SMTP {code}") from None
        except smtplib.SMTPResponseException as error:
            raise GatewayFailed(f"SMTP {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise GatewayFailed(type(error).__name__) from None
        return number[1:33]

    def _open(self) -> smtplib.SMTP:
        if self._secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=_trusted())
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=_trusted())
        if self._user:
            server.login(self._user, self._password)
        return server


def of(settings: Any) -> dict[str, Gateway]:
    """The gateways that are configured: none, unless somebody says where they are."""
    found: dict[str, Gateway] = {}
    if getattr(settings, "sms", ""):
        found["sms"] = HttpGateway(settings.sms, settings.sms_token)
    if getattr(settings, "smtp", ""):
        found["email"] = SmtpGateway(settings.smtp, settings.mail_from)
    return found
