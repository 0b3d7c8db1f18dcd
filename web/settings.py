"""Settings: `YINGBAO_*` variables, read once and refused at start when wrong. README lists them all."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.errors import Invalid
from processes import bank_files
from processes.audit_lists import Parameters


class BadSetting(SystemExit):
    """A setting is missing or wrong; the text says which and what is expected."""

    def __init__(self, text: str) -> None:
        super().__init__(2)
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Settings:
    database: str
    secret_key: str
    data_key: str
    files: Path
    env: str = "development"  # development | training | production
    registry: str = "http://127.0.0.1:8700"
    host: str = "127.0.0.1"
    port: int = 8000
    signing_key: Path = Path("signing_key")  # opened by the sequencer alone; its public half stands beside it as .pub
    suite: int = 1  # 1: SHA-256 and Ed25519; 2: SM3 and SM2
    signer_command: str = ""  # suite 2: the program in front of the cryptographic module
    signer_key: str = ""  # suite 2: its public key, base64
    witnesses: tuple[str, ...] = ()  # addresses that cosign checkpoints
    sequencer_database: str = ""  # where the sequencer has a login of its own
    audit: Parameters = field(default_factory=Parameters)  # what the lists of anomalies go by in this office
    bank_profiles: str = ""  # file with bank profiles of the bureau's own
    bank: str = ""  # folder of the bank's front-end machine; none: files are carried there
    sms: str = ""  # address of the SMS gateway (docs/notifications.md); none: no SMS
    sms_token: str = ""
    smtp: str = ""  # smtp://USER:PASSWORD@HOST:PORT or smtps://…; none: no e-mail
    mail_from: str = ""
    whatif: int = 2000  # households over which a page or a call tries a changed law at once

    def for_sequencer(self) -> dict[str, str]:
        """The variables that the sequencer's process needs."""
        given = {"DATABASE": self.sequencer_database or self.database, "SIGNING_KEY": str(self.signing_key), "ENV": self.env, "SUITE": str(self.suite),
                 "SIGNER_COMMAND": self.signer_command, "SIGNER_KEY": self.signer_key, "WITNESSES": " ".join(self.witnesses),
                 "SECRET_KEY": self.secret_key, "DATA_KEY": self.data_key, "HOME": str(self.files.parent)}  # fmt: skip
        return {f"YINGBAO_{name}": value for name, value in given.items()}

    def effective(self) -> dict[str, str]:
        """What each variable comes to, by its name in README: what was given, or else its default."""
        return {
            "DATABASE": self.database, "SECRET_KEY": self.secret_key, "DATA_KEY": self.data_key, "FILES": str(self.files), "ENV": self.env,
            "REGISTRY": self.registry, "HOST": self.host, "PORT": str(self.port), "SIGNING_KEY": str(self.signing_key), "SUITE": str(self.suite),
            "SIGNER_COMMAND": self.signer_command, "SIGNER_KEY": self.signer_key, "WITNESSES": " ".join(self.witnesses),
            "SEQUENCER_DATABASE": self.sequencer_database, "AUDIT": " ".join(f"{name}={value}" for name, value in asdict(self.audit).items()),
            "WHATIF": str(self.whatif), "SMS": self.sms, "SMS_TOKEN": self.sms_token, "SMTP": self.smtp, "MAIL_FROM": self.mail_from, "BANK": self.bank, "BANK_PROFILES": self.bank_profiles,
        }  # fmt: skip

    @property
    def origin(self) -> str:
        """The name of the record. Only production's can pass as evidence: elsewhere the clock can be moved."""
        return "yingbao/binhai" if self.production else "yingbao/binhai/training"

    @property
    def production(self) -> bool:
        return self.env == "production"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        # An empty variable is one that is not set: an empty folder would be the current one.
        given = {k.removeprefix("YINGBAO_"): v for k, v in (environ or os.environ).items() if k.startswith("YINGBAO_") and v.strip()}
        env = given.get("ENV", "development")
        if env not in ("development", "training", "production"):
            raise BadSetting(f"YINGBAO_ENV must be development, training or production, not {env!r}")
        home = Path(given.get("HOME", "var")).resolve()
        keys = {name: given.get(name, "") for name in ("SECRET_KEY", "DATA_KEY", "DATABASE")}
        if env == "production":
            if missing := sorted(name for name, value in keys.items() if not value):
                raise BadSetting("production needs " + ", ".join(f"YINGBAO_{name}" for name in missing))
        else:
            home.mkdir(parents=True, exist_ok=True)
            keys["SECRET_KEY"] = keys["SECRET_KEY"] or _kept(home / "secret_key")
            keys["DATA_KEY"] = keys["DATA_KEY"] or _kept(home / "data_key")
            keys["DATABASE"] = keys["DATABASE"] or f"sqlite:///{home / 'yingbao.sqlite'}"
        port = given.get("PORT", "8000")
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise BadSetting(f"YINGBAO_PORT must be a port number, not {port!r}")
        return cls(
            database=driver(keys["DATABASE"]),
            secret_key=keys["SECRET_KEY"],
            data_key=_checked(keys["DATA_KEY"]),
            files=Path(given.get("FILES", home / "files")),
            env=env,
            registry=_address("REGISTRY", given.get("REGISTRY", "http://127.0.0.1:8700")),
            host=given.get("HOST", "127.0.0.1"),
            port=int(port),
            signing_key=Path(given.get("SIGNING_KEY", home / "signing_key")),
            suite=_suite(given),
            signer_command=given.get("SIGNER_COMMAND", ""),
            signer_key=given.get("SIGNER_KEY", ""),
            witnesses=tuple(_address("WITNESSES", one) for one in given.get("WITNESSES", "").split()),
            sequencer_database=driver(given["SEQUENCER_DATABASE"]) if given.get("SEQUENCER_DATABASE") else "",
            audit=_audit(given.get("AUDIT", "")),
            sms=_address("SMS", given["SMS"]) if given.get("SMS") else "",
            sms_token=given.get("SMS_TOKEN", ""),
            smtp=_mail(given),
            mail_from=given.get("MAIL_FROM", ""),
            whatif=_count("WHATIF", given.get("WHATIF", "2000")),
            bank=_folder("BANK", given.get("BANK", "")),
            bank_profiles=_profiles(given.get("BANK_PROFILES", "")),
        )


def _audit(text: str) -> Parameters:
    """"seconds=30 place=street": words, with spaces between."""
    try:
        return Parameters.understood(dict(word.split("=", 1) for word in text.split()))
    except (Invalid, ValueError) as error:
        raise BadSetting(f"YINGBAO_AUDIT must be like 'seconds=30 late_days=0 band_yuan=200 place=street share_percent=30', not {text!r}") from error


def _count(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise BadSetting(f"YINGBAO_{name} must be a number of households, not {text!r}")
    return int(text)


def _mail(given: Mapping[str, str]) -> str:
    """The mail server; with one, a sender is needed."""
    text, sender = given.get("SMTP", ""), given.get("MAIL_FROM", "")
    if text and not re.fullmatch(r"smtps?://([^@/\s]+@)?[A-Za-z0-9.-]+(:[0-9]{1,5})?/?", text):
        raise BadSetting("YINGBAO_SMTP must be like smtp://user:password@host:25 or smtps://host")
    if text and not re.fullmatch(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", sender):
        raise BadSetting(f"YINGBAO_MAIL_FROM must be an address, not {sender!r}: messages by e-mail need a sender")
    return text


def _folder(name: str, text: str) -> str:
    if text and not Path(text).is_dir():
        raise BadSetting(f"YINGBAO_{name} must be a folder that is there, not {text!r}")
    return text


def _profiles(text: str) -> str:
    if text:
        try:
            bank_files.read_profiles(Path(text).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BadSetting(f"YINGBAO_BANK_PROFILES: {error}") from error
    return text


def _address(name: str, text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+\S*", text):
        raise BadSetting(f"YINGBAO_{name} must be an http:// or https:// address, not {text!r}")
    return text


def _suite(given: Mapping[str, str]) -> int:
    suite = given.get("SUITE", "1")
    if suite not in ("1", "2"):
        raise BadSetting(f"YINGBAO_SUITE must be 1 (SHA-256, Ed25519) or 2 (SM3, SM2), not {suite!r}")
    if suite == "2" and not (given.get("SIGNER_COMMAND") and given.get("SIGNER_KEY")):
        raise BadSetting("YINGBAO_SUITE=2 needs YINGBAO_SIGNER_COMMAND and YINGBAO_SIGNER_KEY")
    return int(suite)


def _kept(path: Path) -> str:
    """A key made once and kept in a file that only its owner reads: for development and training, never production."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text()


def _checked(key: str) -> str:
    try:
        good = len(base64.b64decode(key, validate=True)) == 32
    except ValueError:
        good = False
    if not good:
        raise BadSetting("YINGBAO_DATA_KEY must be 32 random bytes in base64")
    return key


def driver(url: str) -> str:
    """A database's address with the driver that is installed here. Raises BadSetting."""
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    try:
        good = make_url(url).drivername in ("sqlite", "postgresql+psycopg") and url.startswith(("sqlite:///", "postgresql+psycopg://"))
    except (ArgumentError, ValueError):
        good = False
    if not good:
        raise BadSetting("YINGBAO_DATABASE must be a sqlite:/// or postgresql:// address")
    return url
