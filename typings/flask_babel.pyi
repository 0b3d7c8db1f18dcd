# Types of what we use of Flask-Babel, which has none of its own.
from collections.abc import Callable
from typing import Any

from flask import Flask

class LazyString:
    def __init__(self, func: Callable[..., str], *args: Any, **kwargs: Any) -> None: ...

class Babel:
    def __init__(
        self,
        app: Flask,
        *,
        default_locale: str,
        default_translation_directories: str,
        locale_selector: Callable[[], str],
    ) -> None: ...

def get_translations() -> Any: ...
def gettext(string: str, **variables: object) -> str: ...
def pgettext(context: str, string: str, **variables: object) -> str: ...
def lazy_gettext(string: str, **variables: object) -> LazyString: ...
def lazy_pgettext(context: str, string: str, **variables: object) -> LazyString: ...
