"""Forms: one marshmallow schema per user task understands HTML, JSON and imports alike, and says what it is in JSON Schema.

A field marked `fact` becomes a fact of the run; everything else is personal and goes to the encrypted payload.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, ClassVar, cast

from marshmallow import RAISE, Schema, ValidationError, fields

from engine.errors import Invalid
from engine.given import gives

MAX_TEXT, MAX_ROWS, MAX_FEN = 2_000, 100, 9_999_999_999  # 99,999,999.99 yuan
MAX_WHOLE = 2**62 - 1

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
    "fields": ("应当是一组字段", "Must be a set of fields"),
    "control": ("含有不可见的控制字符", "Contains invisible control characters"),
    "max": ("最多 {max} 个字", "At most {max} characters"),
    "choice": ("请从所列各项中选择", "Choose one of those listed"),
    "no_such_day": ("没有这一天", "There is no such day"),
    "year": ("年份不合理", "Not a likely year"),
    "future": ("不能晚于今天", "May not be after today"),
    "money": ("金额请写成以元为单位的数字，最多两位小数，如 2100.00", "Write yuan with at most two decimals, like 2100.00"),
    "negative": ("金额不能是负数", "May not be negative"),
    "money_large": ("金额太大", "The amount is too large"),
    "whole": ("请写整数", "Write a whole number"),
    "yes_no": ("请选择是或否", "Choose yes or no"),
    "least": ("至少填写 {least} 项", "At least {least}"),
    "most": ("最多 {most} 项", "At most {most}"),
    "twice": ("不能重复", "May not be listed twice"),
}

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (bidi, zero width), surrogates, line separators
_FULL_WIDTH = {ord(c): ord("0") + i for i, c in enumerate("０１２３４５６７８９")} | {
    ord("．"): ord("."), ord("－"): ord("-"), ord("，"): ord(","), ord("／"): ord("/"), ord("　"): ord(" ")}  # fmt: skip
_CHINESE_DATE = re.compile(r"([0-9]{4})(?:年([0-9]{1,2})月([0-9]{1,2})日?|([/.])([0-9]{1,2})\4([0-9]{1,2}))")
_MONEY = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?:\.([0-9]{1,2}))?")


def folded(text: str) -> str:
    """Full-width digits and signs as half-width, surrounding blanks away."""
    return text.translate(_FULL_WIDTH).strip()


def unseen(text: str) -> bool:
    """Whether a text holds what nobody can see: control and direction characters, lone surrogates, noncharacters.
    Private-use and not yet assigned characters stay: rare Chinese names are written with them."""
    return any(
        (unicodedata.category(c) in _UNSEEN and c not in "\n\t") or ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF
        for c in text
    )


class Text(fields.String):
    """Text in NFC without control or direction characters, never only blanks; one of `choices` where there are any. A number that is
    no quantity (`digits`: telephone, account) is understood with full-width digits and in groups."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
        if unseen(text):
            raise self.make_error("control")
        if self.metadata.get("digits"):
            text = "".join(folded(text).split())
        if self.required and not text:
            raise self.make_error("required")
        choices = self.metadata.get("choices")
        if choices is not None and text not in {c[0] for c in choices}:
            raise self.make_error("choice")
        if len(text) > (most := self.metadata.get("max", MAX_TEXT)):
            raise self.make_error("max", max=most)
        return text


class Day(fields.Date):
    """A date: 2018-12-03, 2018年12月3日 or 2018/12/3; full-width digits are understood."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise self.make_error("format")
        text = folded(value)
        if found := _CHINESE_DATE.fullmatch(text):
            text = f"{found[1]}-{found[2] or found[5]:0>2}-{found[3] or found[6]:0>2}"
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise self.make_error("format")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise self.make_error("no_such_day") from None
        if not 1900 <= day.year <= 2200:
            raise self.make_error("year")
        today = _form(self).context.get("today")
        if self.metadata.get("not_future") and today and day > today:
            raise self.make_error("future")
        return day


class Fen(fields.Field[int]):
    """Money: yuan as text ("2100.00") in, whole fen out. Never a float, never negative."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        key, amount = _read_fen(value)
        if key:
            raise self.make_error(key)
        return amount

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


def fen(value: Any) -> int:
    """Yuan as text, as fen. A bare number is refused: nobody could tell yuan from fen. Raises ValidationError in Chinese."""
    key, amount = _read_fen(value)
    if key:
        raise ValidationError(ERRORS[key][0])
    return amount


def _read_fen(value: Any) -> tuple[str, int]:
    """("", fen) or (key of the error, 0)."""
    if not isinstance(value, str):
        return "money", 0
    text = folded(value)
    if re.fullmatch(r"[-−][0-9.,]+", text):
        return "negative", 0
    found = _MONEY.fullmatch(text)
    if not found:
        return "money", 0
    amount = int(found[1].replace(",", "")) * 100 + int((found[2] or "").ljust(2, "0"))
    return ("money_large", 0) if amount > MAX_FEN else ("", amount)


class Whole(fields.Integer):
    """A whole number from 0; digits as text are understood, fractions are not."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", folded(value)):
            value = int(folded(value))
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.make_error("whole")
        if value > MAX_WHOLE:
            raise self.make_error("too_large")
        return value


class YesNo(fields.Boolean):
    """Yes or no, as JSON or as a radio button says it; never guessed from another value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value is True or (isinstance(value, str) and value in ("true", "yes", "是", "1")):
            return True
        if value is False or (isinstance(value, str) and value in ("false", "no", "否", "0")):
            return False
        raise self.make_error("yes_no")


class Several(fields.List[Any]):
    """A list with a least and a most number of items; choices and documents are not named twice."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        least, most = self.metadata.get("least", 0), self.metadata.get("most", MAX_ROWS)
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) < least:
            raise self.make_error("least", least=least)
        if len(value) > most:
            raise self.make_error("most", most=most)
        loaded: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        if "form" not in self.metadata and len(set(loaded)) < len(loaded):
            raise self.make_error("twice")
        return loaded


class Form(Schema):
    """Base of all forms. `context`: facts, today, actor, lang. NEEDED: of fields that may be left out, those that another answer
    asks for, with when it does (Chinese, English): whoever fills in the form is told before he sends it. SECTIONS: the first field
    of each part of a long form, with the part's title (Chinese, English). COSIGNED: the field that names the colleague
    who signs what was handed in, in a session of his own, before it takes effect."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {}
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {}
    COSIGNED: ClassVar[str | None] = None

    class Meta:
        unknown = RAISE

    def __init__(self, *, context: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.context: dict[str, Any] = dict(context or {})
        super().__init__(**kwargs)
        self.error_messages.update(unknown=self.say(*ERRORS["unknown"]), type=self.say(*ERRORS["fields"]))

    def say(self, zh: str, en: str) -> str:
        """A message in the language of the person who fills in the form."""
        return en if self.context.get("lang") == "en" else zh

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.error_messages = {**field_obj.error_messages, **{k: self.say(*v) for k, v in ERRORS.items()}}
        inner = getattr(field_obj, "inner", None)
        if inner is not None:
            self.on_bind_field(field_name, inner)
        nested = getattr(field_obj, "nested", None)
        if isinstance(nested, type) and issubclass(nested, Form):
            cast("Any", field_obj).schema.speak(self.context)

    def speak(self, context: dict[str, Any]) -> None:
        """A nested form speaks and knows what the form around it does."""
        self.context = context
        self.error_messages.update(unknown=self.say(*ERRORS["unknown"]), type=self.say(*ERRORS["fields"]))
        for name, bound in self.fields.items():
            self.on_bind_field(name, bound)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Answers are what they hold, never their methods: marshmallow would dump `dict.items` for a field `items`."""
        return obj.get(attr, default) if isinstance(obj, Mapping) else super().get_attribute(obj, attr, default)

    def context_value(self, name: str) -> Any:
        return self.context.get(name)

    def fact(self, name: str) -> Any:
        return (self.context.get("facts") or {}).get(name)

    @gives()
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """Facts that follow from the answers and the context; a form that has some says with `gives` which."""
        return {}


def _form(field: fields.Field[Any]) -> Form:
    parent = field.root
    return parent if isinstance(parent, Form) else Form()


# -- declaring fields


def _meta(label: str, label_en: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "label_en": label_en, **more}


def text(label: str, label_en: str, *, required: bool = True, max: int = MAX_TEXT, fact: bool = False,  # noqa: A002
         widget: str = "text", hint: str = "", hint_en: str = "", about: str = "", digits: bool = False) -> Text:  # fmt: skip
    """`about`: whom it concerns, where that is neither the household nor staff ("objector"); see `apart`. `digits`: see Text."""
    return Text(required=required, metadata=_meta(
        label, label_en, fact=fact, widget=widget, hint=hint, hint_en=hint_en, max=max, about=about, digits=digits))  # fmt: skip


def choice(label: str, label_en: str, choices: Iterable[tuple[str, str, str]], *, required: bool = True,
           fact: bool = False, widget: str = "radio", hint: str = "", hint_en: str = "") -> Text:  # fmt: skip
    return Text(required=required, metadata=_meta(
        label, label_en, fact=fact, widget=widget, choices=list(choices), hint=hint, hint_en=hint_en))  # fmt: skip


def several(label: str, label_en: str, choices: Iterable[tuple[str, str, str]], *, required: bool = False,
            fact: bool = False, hint: str = "", hint_en: str = "") -> Several:  # fmt: skip
    """Checkboxes; where they are required, at least one is ticked."""
    listed = list(choices)
    return Several(Text(metadata={"choices": listed}), required=required, metadata=_meta(
        label, label_en, fact=fact, widget="checkboxes", choices=listed, hint=hint, hint_en=hint_en, least=int(required)))  # fmt: skip


def yes_no(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "", hint_en: str = "") -> YesNo:
    return YesNo(required=required, metadata=_meta(label, label_en, fact=fact, widget="yes_no", hint=hint, hint_en=hint_en))


def on_date(label: str, label_en: str, *, required: bool = True, fact: bool = False, not_future: bool = True,
            hint: str = "", hint_en: str = "") -> Day:  # fmt: skip
    return Day(required=required, metadata=_meta(
        label, label_en, fact=fact, widget="date", not_future=not_future, hint=hint, hint_en=hint_en))  # fmt: skip


def money(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "元，如 2100.00",
          hint_en: str = "Yuan, like 2100.00") -> Fen:  # fmt: skip
    return Fen(required=required, metadata=_meta(label, label_en, fact=fact, widget="money", hint=hint, hint_en=hint_en))


def number(label: str, label_en: str, *, required: bool = True, fact: bool = False, hint: str = "", hint_en: str = "") -> Whole:
    return Whole(required=required, metadata=_meta(label, label_en, fact=fact, widget="number", hint=hint, hint_en=hint_en))


def document(label: str, label_en: str, *, required: bool = False, hint: str = "", hint_en: str = "") -> Whole:
    return Whole(required=required, metadata=_meta(label, label_en, fact=False, widget="document", hint=hint, hint_en=hint_en))


def documents(label: str, label_en: str, *, required: bool = False) -> Several:
    return Several(Whole(), required=required, metadata=_meta(
        label, label_en, fact=False, widget="documents", most=20, least=int(required)))  # fmt: skip


def staff(label: str, label_en: str, *, role: str, required: bool = True, fact: bool = True, hint: str = "", hint_en: str = "") -> Text:
    """A colleague's login. `role`: the posts among whose holders is chosen, with blanks between."""
    return Text(required=required, metadata=_meta(label, label_en, fact=fact, widget="staff", role=role, hint=hint, hint_en=hint_en, max=60))


def rows(label: str, label_en: str, nested: type[Form], *, required: bool = False, least: int = 0, hint: str = "",
         hint_en: str = "", about: str = "") -> Several:  # fmt: skip
    """Rows of a nested form. `required` alone takes an empty list ("there is none"); `least` asks for rows.
    `about`: each row is about another person (see `apart`)."""
    return Several(fields.Nested(nested), required=required, metadata=_meta(
        label, label_en, fact=False, widget="rows", form=nested, least=least, hint=hint, hint_en=hint_en, about=about))  # fmt: skip


# -- using forms


class _Kept(threading.local):
    """Each thread's forms: to make one and bind its fields costs more than to read an answer with it."""

    def __init__(self) -> None:
        self.forms: dict[tuple[type[Form], str], Form] = {}


_kept = _Kept()


def form_for(form_class: type[Form], context: Mapping[str, Any]) -> Form:
    """This thread's form of a class, in a context; the next call for the class takes it over."""
    key = (form_class, str(context.get("lang", "zh")))
    form = _kept.forms.get(key)
    if form is None:
        form = _kept.forms[key] = form_class(context=context)
    else:
        form.context.clear()
        form.context.update(context)
    return form


def understand(form: Form, raw: Any) -> dict[str, Any]:
    """What the form understood, as JSON: that, and not what was typed, is recorded. Raises Invalid."""
    if not isinstance(raw, Mapping):
        raise Invalid({"_": [form.say(*ERRORS["fields"])]})
    try:
        loaded = form.load(raw)
    except ValidationError as error:
        raise named(form, Invalid(flat(error.messages))) from error
    understood: dict[str, Any] = form.dump(loaded)
    return understood


def named(form: Form, error: Invalid) -> Invalid:
    """The same error, which calls the fields of this form by their labels: who reads it filled in a form, not a program's names."""
    return Invalid(error.fields, error.english, {path: label for path in error.fields if (label := _label_of(form, path.split(".")))} | dict(error.labels))


def _label_of(form: Form, path: Sequence[str]) -> str:
    """What a person calls "participants.0.name"; empty for a field that the form does not have."""
    field = form.fields.get(path[0])
    if field is None:
        return ""
    label = str(field.metadata.get(form.say("label", "label_en")) or "")
    if len(path) == 1 or not path[1].isdigit():
        return label
    nested = field.metadata.get("form")
    inner = _label_of(nested(context=form.context), path[2:]) if nested and len(path) > 2 else ""
    return form.say(f"{label}第{int(path[1]) + 1}项{inner}", ", ".join(part for part in (f"{label} {int(path[1]) + 1}", inner) if part))


def facts_of(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The facts among the answers, and those that follow from them."""
    marked = {n: answers[n] for n, f in form.fields.items() if f.metadata.get("fact") and n in answers}
    return {**marked, **form.extra_facts(answers)}


@cache
def _abouts(form_class: type[Form]) -> Mapping[str, str]:
    return {name: field.metadata["about"] for name, field in form_class._declared_fields.items() if field.metadata.get("about")}


def apart(form_class: type[Form], answers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Answers of the household itself; and those about others, by whom: {"objector": {"objector_name": …}}, and each row
    alone: {"participant.00": {"participants": [{…}]}}. `engine.model.joined` puts them together again."""
    own, others = dict(answers), dict[str, dict[str, Any]]()
    for name, who in _abouts(form_class).items():
        value = own.pop(name, None)
        if isinstance(value, list):
            others |= {f"{who}.{n:02}": {name: [row]} for n, row in enumerate(value)}
        elif value is not None:
            others.setdefault(who, {})[name] = value
    return own, others


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
    return _read(form_class().fields, sent, prefix)


def _read(listed: Mapping[str, fields.Field[Any]], sent: Any, prefix: str) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for name, field in listed.items():
        widget, key = field.metadata.get("widget"), f"{prefix}{name}"
        if widget == "rows":
            found = _rows(field.metadata["form"], sent, key)
        elif widget in ("checkboxes", "documents"):
            found = [value for value in sent.getlist(key) if value.strip()]
        else:
            found = sent.get(key, "")
        if found and (isinstance(found, list) or found.strip()):
            raw[name] = found
    return raw


def _rows(form_class: type[Form], sent: Any, key: str) -> list[dict[str, Any]]:
    """Rows in the order of their numbers; one more than allowed is kept, so that the form refuses it."""
    pattern = re.compile(rf"{re.escape(key)}-(0|[1-9][0-9]{{0,3}})-")
    numbers = sorted({int(m[1]) for name in sent if (m := pattern.match(name))})
    listed = form_class().fields
    read = (_read(listed, sent, f"{key}-{n}-") for n in numbers)
    return [row for row in read if row][: MAX_ROWS + 1]


def json_schema(form_class: type[Form], lang: str = "zh") -> dict[str, Any]:
    """The form as JSON Schema 2020-12."""
    form = form_class()
    listed = {name: _property(field, lang, form_class.NEEDED.get(name)) for name, field in form.fields.items()}
    needed = [name for name, field in form.fields.items() if field.required]
    return {"type": "object", "properties": listed, "required": needed, "additionalProperties": False}


def _property(field: fields.Field[Any], lang: str, needed: tuple[str, str] | None = None) -> dict[str, Any]:
    meta, end = field.metadata, "_en" if lang == "en" else ""
    said: dict[str, Any] = {"title": meta.get(f"label{end}", "")}
    if about := [text for text in (meta.get(f"hint{end}"), needed and needed[lang == "en"], _meant(field)[lang == "en"]) if text]:
        said["description"] = ("; " if lang == "en" else "；").join(about)
    return said | _type(field, lang)


def _meant(field: fields.Field[Any]) -> tuple[str, str]:
    """What a page's widget shows and a bare type does not say, Chinese and English."""
    meta = field.metadata
    match meta.get("widget"):
        case "staff":
            posts = meta["role"].split()
            return f"工作人员的登录名，岗位 {' 或 '.join(posts)}", f"login of a member of staff in the post {' or '.join(posts)}"
        case "document":
            return "已登记材料的编号", "id of a document that is kept"
        case "documents":
            return "已登记材料的编号，可多份", "ids of documents that are kept"
        case "date" if meta.get("not_future"):
            return "不晚于今天", "not after today"
    return "", ""


def _type(field: fields.Field[Any], lang: str) -> dict[str, Any]:  # noqa: PLR0911 - one line per kind of field
    meta, choices = field.metadata, [c[0] for c in field.metadata.get("choices", ())]
    match field:
        case Day():
            return {"type": "string", "format": "date"}
        case Fen():
            return {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"}
        case Whole():
            return {"type": "integer", "minimum": 0, "maximum": MAX_WHOLE}
        case YesNo():
            return {"type": "boolean"}
        case fields.List():
            return _list(field, lang)
        case _ if choices:
            return {"type": "string", "enum": choices}
        case _:
            return {"type": "string", "maxLength": meta.get("max", MAX_TEXT), **({"minLength": 1} if field.required else {})}


def _list(field: fields.List[Any], lang: str) -> dict[str, Any]:
    meta = field.metadata
    least = {"minItems": meta["least"]} if meta.get("least") else {}
    shape = {"type": "array", "maxItems": meta.get("most", MAX_ROWS), **least}
    if "form" in meta:
        return shape | {"items": json_schema(meta["form"], lang)}
    inner = {"type": "string", "enum": [c[0] for c in meta["choices"]]} if "choices" in meta else _type(field.inner, lang)
    return shape | {"uniqueItems": True, "items": inner}
