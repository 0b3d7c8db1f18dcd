"""Forms: one marshmallow schema per user task understands HTML, JSON and imports alike, and says what it is in JSON Schema.

A field marked `fact` becomes a fact of the run; everything else is personal and goes to the encrypted payload.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from engine.errors import Invalid

MAX_TEXT, MAX_ROWS, MAX_FEN = 2_000, 100, 9_999_999_999  # 99,999,999.99 yuan

ERRORS: Mapping[str, tuple[str, str]] = {
    "required": ("必须填写", "Required"),
    "null": ("不能为空", "May not be empty"),
    "validator_failed": ("填写不正确", "Not valid"),
    "invalid": ("格式不正确", "Not valid"),
    "invalid_utf8": ("文字编码不正确", "Not valid text"),
    "too_large": ("数字太大", "Too large"),
    "format": ("日期格式不正确，请写成 2018-12-03", "Not a date, write 2018-12-03"),
    "type": ("类型不正确", "Wrong type"),
    "unknown": ("没有这一项", "Unknown field"),
}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_FULL_WIDTH = {ord(c): ord("0") + i for i, c in enumerate("０１２３４５６７８９")} | {
    ord("．"): ord("."), ord("－"): ord("-"), ord("，"): ord(","), ord("　"): ord(" ")}  # fmt: skip
_CHINESE_DATE = re.compile(r"^(\d{4})[年/.](\d{1,2})[月/.](\d{1,2})日?$")
_MONEY = re.compile(r"^(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{1,2}))?$")


def folded(text: str) -> str:
    """Full-width digits and signs as half-width, surrounding blanks away."""
    return text.translate(_FULL_WIDTH).strip()


class Text(fields.String):
    """Text in NFC without control or direction characters, never only blanks."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip().strip("\u3000").strip()
        if _CONTROL.search(text):
            raise ValidationError("含有不可见的控制字符")
        if self.required and not text:
            raise self.make_error("required")
        return text


class Day(fields.Date):
    """A date: 2018-12-03, 2018年12月3日 or 2018/12/3; full-width digits are understood."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise ValidationError(ERRORS["format"][0])
        text = folded(value)
        if found := _CHINESE_DATE.match(text):
            text = "{}-{:0>2}-{:0>2}".format(*found.groups())
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValidationError(ERRORS["format"][0])
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise ValidationError("没有这一天") from None
        if not 1900 <= day.year <= 2200:
            raise ValidationError("年份不合理")
        today = _form(self).context.get("today")
        if self.metadata.get("not_future") and today and day > today:
            raise ValidationError("不能晚于今天")
        return day


class Fen(fields.Field[int]):
    """Money: yuan as text ("2100.00") in, whole fen out. Never a float, never negative."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        return fen(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


def fen(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValidationError("金额请写成以元为单位的数字，如 2100.00")
    text = folded(str(value))
    if text.startswith("-"):
        raise ValidationError("金额不能是负数")
    found = _MONEY.match(text)
    if not found:
        raise ValidationError("金额请写成以元为单位的数字，最多两位小数，如 2100.00")
    amount = int(Decimal(text.replace(",", "")) * 100)
    if amount > MAX_FEN:
        raise ValidationError("金额太大")
    return amount


class Whole(fields.Integer):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            value = folded(value)
            if not re.fullmatch(r"\d{1,18}", value):
                raise ValidationError("请写整数")
        if isinstance(value, bool) or not isinstance(value, (int, str)) or not 0 <= int(value) < 2**62:
            raise ValidationError("请写整数")
        return int(value)


class YesNo(fields.Boolean):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value in (True, "true", "yes", "是", "1"):
            return True
        if value in (False, "false", "no", "否", "0"):
            return False
        raise ValidationError("请选择是或否")


class Form(Schema):
    """Base of all forms. `context`: facts, today, actor, lang."""

    class Meta:
        unknown = RAISE

    def __init__(self, *, context: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.context: Mapping[str, Any] = context or {}
        super().__init__(**kwargs)

    error_messages = {"unknown": ERRORS["unknown"][0], "type": "应当是一组字段"}  # noqa: RUF012

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        lang = 1 if self.context.get("lang") == "en" else 0
        field_obj.error_messages = {**field_obj.error_messages, **{k: v[lang] for k, v in ERRORS.items()}}
        inner = getattr(field_obj, "inner", None)
        if inner is not None:
            self.on_bind_field(field_name, inner)
        nested = getattr(field_obj, "nested", None)
        if isinstance(nested, type) and issubclass(nested, Form):
            cast("Any", field_obj).schema.context = self.context

    def context_value(self, name: str) -> Any:
        return self.context.get(name)

    def fact(self, name: str) -> Any:
        return (self.context.get("facts") or {}).get(name)

    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """Facts that follow from the answers and the context."""
        return {}


def _form(field: fields.Field[Any]) -> Form:
    parent = field.root
    return parent if isinstance(parent, Form) else Form()


# -- declaring fields


def _meta(label: str, label_en: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "label_en": label_en, **more}


def text(label: str, label_en: str, *, required: bool = True, max: int = MAX_TEXT, fact: bool = False,  # noqa: A002
         widget: str = "text", hint: str = "", hint_en: str = "") -> Text:  # fmt: skip
    limit = validate.Length(max=max, error=f"最多 {max} 个字")
    return Text(required=required, validate=limit, metadata=_meta(
        label, label_en, fact=fact, widget=widget, hint=hint, hint_en=hint_en, max=max))  # fmt: skip


def choice(label: str, label_en: str, choices: Iterable[tuple[str, str, str]], *, required: bool = True,
           fact: bool = False, widget: str = "radio", hint: str = "") -> Text:  # fmt: skip
    listed = list(choices)
    allowed = validate.OneOf([c[0] for c in listed], error="请从所列各项中选择")
    return Text(required=required, validate=allowed, metadata=_meta(
        label, label_en, fact=fact, widget=widget, choices=listed, hint=hint))  # fmt: skip


def several(label: str, label_en: str, choices: Iterable[tuple[str, str, str]], *, required: bool = False,
            fact: bool = False, hint: str = "") -> fields.List[Any]:  # fmt: skip
    listed = list(choices)
    allowed = validate.OneOf([c[0] for c in listed], error="请从所列各项中选择")
    return fields.List(Text(validate=allowed), required=required, validate=validate.Length(max=MAX_ROWS), metadata=_meta(
        label, label_en, fact=fact, widget="checkboxes", choices=listed, hint=hint))  # fmt: skip


def yes_no(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "") -> YesNo:
    return YesNo(required=required, metadata=_meta(label, label_en, fact=fact, widget="yes_no", hint=hint))


def on_date(label: str, label_en: str, *, required: bool = True, fact: bool = False, not_future: bool = True,
            hint: str = "") -> Day:  # fmt: skip
    return Day(required=required, metadata=_meta(label, label_en, fact=fact, widget="date", not_future=not_future, hint=hint))


def money(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "") -> Fen:
    return Fen(required=required, metadata=_meta(label, label_en, fact=fact, widget="money", hint=hint or "元，如 2100.00"))


def number(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "") -> Whole:
    return Whole(required=required, metadata=_meta(label, label_en, fact=fact, widget="number", hint=hint))


def document(label: str, label_en: str, *, required: bool = False, hint: str = "") -> Whole:
    return Whole(required=required, metadata=_meta(label, label_en, fact=False, widget="document", hint=hint))


def documents(label: str, label_en: str, *, required: bool = False) -> fields.List[Any]:
    return fields.List(Whole(), required=required, validate=validate.Length(max=20), metadata=_meta(
        label, label_en, fact=False, widget="documents"))  # fmt: skip


def staff(label: str, label_en: str, *, role: str, required: bool = True, fact: bool = True) -> Text:
    return Text(required=required, validate=validate.Length(max=60), metadata=_meta(
        label, label_en, fact=fact, widget="staff", role=role))  # fmt: skip


def rows(label: str, label_en: str, nested: type[Form], *, required: bool = False, hint: str = "") -> fields.List[Any]:
    return fields.List(fields.Nested(nested), required=required, validate=validate.Length(max=MAX_ROWS), metadata=_meta(
        label, label_en, fact=False, widget="rows", form=nested, hint=hint))  # fmt: skip


# -- using forms


def understand(form: Form, raw: Any) -> dict[str, Any]:
    """What the form understood, as JSON: that, and not what was typed, is recorded. Raises Invalid."""
    if not isinstance(raw, Mapping):
        raise Invalid({"_": ["应当是一组字段"]})
    try:
        loaded = form.load(raw)
    except ValidationError as error:
        raise Invalid(flat(error.messages)) from error
    understood: dict[str, Any] = form.dump(loaded)
    return understood


def facts_of(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The facts among the answers, and those that follow from them."""
    marked = {n: answers[n] for n, f in form.fields.items() if f.metadata.get("fact") and n in answers}
    return {**marked, **form.extra_facts(answers)}


def flat(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as {"participants.0.name": [...]}."""
    if isinstance(messages, list):
        return {prefix or "_": [str(m) for m in messages]}
    found: dict[str, list[str]] = {}
    for name, inner in messages.items():
        path = prefix if name == "_schema" else f"{prefix}.{name}" if prefix else str(name)
        for key, value in flat(inner, path).items():
            found.setdefault(key, []).extend(value)
    return found


def from_html(form_class: type[Form], sent: Any, prefix: str = "") -> dict[str, Any]:
    """A submitted HTML form as the JSON that the form class reads; empty inputs are left out."""
    raw: dict[str, Any] = {}
    for name, field in form_class().fields.items():
        widget, key = field.metadata.get("widget"), f"{prefix}{name}"
        if widget == "rows":
            found = _rows(field.metadata["form"], sent, key)
        elif widget in ("checkboxes", "documents"):
            found = [value for value in sent.getlist(key) if value != ""]
        else:
            found = sent.get(key, "")
        if found not in ("", []):
            raw[name] = found
    return raw


def _rows(form_class: type[Form], sent: Any, key: str) -> list[dict[str, Any]]:
    numbers = sorted({int(m[1]) for name in sent if (m := re.match(rf"{re.escape(key)}-(\d{{1,3}})-", name))})
    read = [from_html(form_class, sent, f"{key}-{n}-") for n in numbers[:MAX_ROWS]]
    return [row for row in read if row]


def json_schema(form_class: type[Form], lang: str = "zh") -> dict[str, Any]:
    """The form as JSON Schema 2020-12."""
    form = form_class()
    listed = {name: _property(field, lang) for name, field in form.fields.items()}
    needed = [name for name, field in form.fields.items() if field.required]
    return {"type": "object", "properties": listed, "required": needed, "additionalProperties": False}


def _property(field: fields.Field[Any], lang: str) -> dict[str, Any]:
    meta = field.metadata
    said: dict[str, Any] = {"title": meta.get("label_en" if lang == "en" else "label", "")}
    if meta.get("hint"):
        said["description"] = meta["hint"]
    said |= _type(field, lang)
    return said


def _type(field: fields.Field[Any], lang: str) -> dict[str, Any]:  # noqa: PLR0911 - one line per kind of field
    meta, choices = field.metadata, [c[0] for c in field.metadata.get("choices", ())]
    match field:
        case Day():
            return {"type": "string", "format": "date"}
        case Fen():
            return {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,2})?$"}
        case Whole():
            return {"type": "integer", "minimum": 0}
        case YesNo():
            return {"type": "boolean"}
        case fields.List():
            if "form" in meta:
                return {"type": "array", "maxItems": MAX_ROWS, "items": json_schema(meta["form"], lang)}
            inner = {"type": "string", "enum": choices} if choices else {"type": "integer"}
            return {"type": "array", "maxItems": MAX_ROWS, "items": inner}
        case _ if choices:
            return {"type": "string", "enum": choices}
        case _:
            return {"type": "string", "maxLength": meta.get("max", MAX_TEXT), **({"minLength": 1} if field.required else {})}
