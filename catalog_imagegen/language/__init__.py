"""Chinese or English: which one, and the words in it."""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

Code = Literal["en", "zh"]
VARIABLE = "CATALOG_IMAGEGEN_LANGUAGE"
DOMAIN = "messages"


def mark(text: str) -> str:
    """Mark a text that goes through ``tr`` elsewhere, so that it gets a translation."""
    return text


@dataclass(frozen=True, slots=True)
class Language:
    """One of the languages we speak; English texts are their own keys."""

    code: Code
    catalog: gettext.NullTranslations = field(default_factory=gettext.NullTranslations, repr=False)

    def tr(self, text: str, **values: Any) -> str:
        """A text in this language, with its ``{names}`` filled in."""
        translated = self.catalog.gettext(text)
        return translated.format(**values) if values else translated

    def pick(self, en: str, zh: str) -> str:
        """The one of two texts that is in this language, or the other where it is missing."""
        return (zh or en) if self.code == "zh" else (en or zh)


def language(code: Code) -> Language:
    """A language by its code."""
    if code == "en":
        return Language("en")
    folder = resources.files(__package__) / "zh" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with folder.open("rb") as compiled:
        return Language("zh", gettext.GNUTranslations(compiled))


def spoken_here(environment: Mapping[str, str] = os.environ) -> Code | None:
    """The language of the user: CATALOG_IMAGEGEN_LANGUAGE, else that of the locale; None if neither says."""
    for variable in (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "").casefold()
        if value and value != "auto":
            is_unsaid = value.partition(".")[0] in ("c", "posix")
            return None if is_unsaid else "zh" if value.startswith("zh") else "en"
    return None
