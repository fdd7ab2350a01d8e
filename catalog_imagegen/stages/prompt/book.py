"""The templates of a workspace and the words they use, compiled once."""

from __future__ import annotations

import traceback
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import jinja2

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError, ItemError
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.domain.imaging import Prompt, TextMode
from catalog_imagegen.stages.prompt.sandbox import (
    TEMPLATE_ERRORS,
    ColumnMissingError,
    ProductView,
    Sandbox,
    at_hand,
    compiled,
    is_fixed,
)
from catalog_imagegen.stages.prompt.texts import REMEMBERED, one_line, sanitise

VERSION = 1
MAX_PROMPT = 4_000
"""Characters; ComfyUI would take any number, but far fewer reach the picture."""
SHARED = "product.j2"
"""The template whose names every role's template has; without it there are none."""
DIVIDER = "\x1e"
"""Stands between positive and negative text; no catalog value can contain it."""

Vocabulary = Mapping[str, Sequence[Mapping[str, Any]]]
"""Table name → entries; an entry's ``keywords`` say which texts it speaks for, none means any."""


class PromptError(ItemError):
    """The prompt of one picture cannot be written; says template, line, SKU and column."""


@dataclass(frozen=True, slots=True)
class Written:
    """A prompt, and what it was written from: ingredient → short digest."""

    prompt: Prompt
    made_of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What is worked out once for all pictures of a product."""

    product: Product
    variables: Mapping[str, Any]
    view: ProductView
    """What its macros read the product by, whichever role calls them."""
    columns: frozenset[str]
    """The columns that were read for all, without those that macros read later."""
    made_of: Mapping[str, str]
    """The digests of these columns."""

    def begin(self) -> ProductView:
        """The product as the next picture sees it."""
        self.view.columns_read = {}
        return ProductView(self.product, self.columns)


_COLUMNS_OF_CATEGORY = frozenset({"category", "name"})
"""What the variable ``category`` comes of."""
_NONE: Mapping[str, str] = MappingProxyType({})


class PromptBook:
    """All templates and the vocabulary beside them, compiled once.

    *templates* maps file names (``main.j2``) to their text, *texts* the places of others (``layouts.toml: …``), which
    are drawn on pictures. Raises ConfigError for a template that does not compile.
    """

    def __init__(
        self, templates: Mapping[str, str], vocabulary: Vocabulary, texts: Mapping[str, str] = _NONE
    ) -> None:
        self._texts = dict(texts)
        self._sources = {**templates, **texts}
        self._vocabulary = vocabulary
        self._environment = Sandbox(PromptBook)
        self._digests = {
            f"template:{name}": fingerprint("template", VERSION, text)[:12]
            for name, text in self._sources.items()
        }
        self._digests["vocabulary"] = fingerprint("vocabulary", VERSION, vocabulary)[:12]
        self._columns: dict[str, frozenset[str] | None] = {}
        self._in_macros: frozenset[str] = frozenset()
        self._references = {name: self._compile(name) for name in self._sources}
        self._last: _Shared | None = None
        self._made_of_files: dict[str, Mapping[str, str]] = {}
        self._seen: dict[tuple[tuple[str, ...], str], list[Any]] = {}
        self._found: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._entries = {id(entry) for entries in vocabulary.values() for entry in entries}
        self._keywords = {
            table: [([word.casefold() for word in entry.get("keywords", ())], entry) for entry in entries]
            for table, entries in vocabulary.items()
        }

    def __reduce__(self) -> Any:
        templates = {name: text for name, text in self._sources.items() if name not in self._texts}
        return PromptBook, (templates, self._vocabulary, self._texts)

    def _compile(self, name: str) -> tuple[str, ...]:
        """Compile a template and return the names it extends, includes or imports."""
        try:
            template = compiled(name, self._sources[name])
        except jinja2.TemplateSyntaxError as error:
            place = self._place(error.filename or name)
            raise ConfigError(
                f"{place} line {error.lineno}: {error.message}; mend the template",
                zh=f"{place} 第 {error.lineno} 行：{error.message}；请修改模板",
                code="template_syntax",
            ) from error
        self._columns[name] = template.columns if None not in template.named else None
        if name == SHARED:
            self._in_macros = template.in_macros
        self._environment.add(name, template)
        found = tuple(ref for ref in template.named if ref)
        for reference in found:
            if reference not in self._sources:
                raise ConfigError(
                    f"{self._place(name)}: there is no {reference!r}; add that file or mend the name",
                    zh=f"{self._place(name)}：找不到模板 {reference}；请添加该文件或更正名称",
                    code="template_missing",
                )
        return found

    def _place(self, name: str) -> str:
        """Where a template stands."""
        return name if name in self._texts else f"prompt_templates/{name}"

    def has(self, role: str) -> bool:
        """Whether there is a template for this role."""
        return f"{role}.j2" in self._sources

    def leaves_room(self, role: str) -> bool:
        """Whether its template can ask for a scene without the product: it says what it does ``in_scene``."""
        return any("in_scene" in self._sources[name] for name in self._names_of(role))

    def find(self, table: str, text: str) -> Mapping[str, Any] | None:
        """The first entry of a vocabulary table one of whose keywords is in *text*; none means any."""
        if (table, text) not in self._found:
            if len(self._found) > REMEMBERED:
                self._found.clear()
            self._found[table, text] = self._look_up(table, text)
        return self._found[table, text]

    def _look_up(self, table: str, text: str) -> Mapping[str, Any] | None:
        folded = unicodedata.normalize("NFKC", text).casefold()
        for keywords, entry in self._keywords.get(table, ()):
            if not keywords:
                return entry
            for word in keywords:
                if word in folded:
                    return entry
        return None

    def matching(self, table: str, texts: Iterable[str], having: str = "") -> list[str]:
        """Those of *texts* that a table (with the entry *having*) knows, in the table's order.

        The catalog's order does not matter, so reordering features changes no picture; of several
        texts that match one entry the first in text order speaks.
        """
        rank = {id(entry): i for i, entry in enumerate(self._vocabulary.get(table, ()))}
        best: dict[int, str] = {}
        for text in sorted(texts):
            entry = self.find(table, text)
            if entry is not None and (not having or having in entry):
                best.setdefault(rank[id(entry)], text)
        return [best[i] for i in sorted(best)]

    def visible(self, texts: Iterable[str], entry: str = "visible") -> list[Any]:
        """What of these features can be seen, in the words of the vocabulary."""
        key = (tuple(texts), entry)
        if key not in self._seen:
            if len(self._seen) > REMEMBERED:
                self._seen.clear()
            found = (self.find("evidence", text) for text in self.matching("evidence", key[0], entry))
            self._seen[key] = [known[entry] for known in found if known is not None]
        return list(self._seen[key])

    def write(
        self,
        role: str,
        product: Product,
        *,
        item: str,
        note: str = "",
        text: TextMode = "none",
        in_scene: bool = False,
    ) -> Written:
        """Write the prompt of one picture, or with *in_scene* of the scene that its product is placed in.

        *text* says who sets words on it.

        Raises PromptError with template, line, SKU and column.
        """
        template = f"{role}.j2"
        try:
            shared = self._shared_by(product)
            view = shared.begin()
            variables = {
                "text": text,  # a name that a shop may have in its product.j2
                **shared.variables,
                "product": view,
                "item": sanitise(item),
                "note": sanitise(note),
                "role": role,
                "in_scene": in_scene,
                "divider": DIVIDER,
            }
            prompt = self._environment.written(template, variables)
        except TEMPLATE_ERRORS as error:
            raise self._explain(error, template, product) from error
        positive, _, negative = prompt.partition(DIVIDER)
        if not 0 < len(positive.strip()) <= MAX_PROMPT:
            raise PromptError(
                f"{role}.j2: SKU {product.sku}: the prompt has {len(positive.strip())} characters, and 1 to "
                f"{MAX_PROMPT} make a picture; mend the template",
                zh=f"{role}.j2：SKU {product.sku}：提示词有 {len(positive.strip())} 个字，应为 1 到 {MAX_PROMPT}；请修改模板",
                code="prompt_length",
            )
        return Written(
            prompt=Prompt(one_line(positive), _same_line(negative)),
            made_of={
                **shared.made_of,
                **_columns_of(shared.view.columns_read),
                **_columns_of(view.columns_read),
                **self._files_of(role),
            },
        )

    def fill(self, text: str, product: Product, *, item: str, role: str) -> str:
        """A text that is drawn on one picture, its catalog values as they are written. Raises PromptError."""
        try:
            variables = {
                **self._shared_by(product).variables,
                "product": ProductView(product, clean=str.strip),
                "item": item.strip(),
                "role": role,
            }
            return self._environment.written(text, variables).strip()
        except TEMPLATE_ERRORS as error:
            raise self._explain(error, text, product) from error

    def _shared_by(self, product: Product) -> _Shared:
        """What all pictures of a product have in common; pictures of one product are asked for in a row."""
        if (known := self._last) is not None and known.product is product:
            return known
        view = ProductView(product)
        variables: dict[str, Any] = {
            **self._environment.globals,
            "product": view,
            "divider": DIVIDER,
            "category": self.find("category", f"{product.category} {product.name}") or {},
            "find": self.find,
            "visible": self.visible,
        }
        if SHARED in self._sources:
            template = self._environment.get_template(SHARED)
            try:
                module = template.make_module(variables)
            except Exception:  # noqa: BLE001 - raised again, with the template's lines in place of the compiled ones
                self._environment.handle_exception()
            made = {name: value for name, value in vars(module).items() if not name.startswith("_")}
            loose = {
                name: at_hand(value)
                for name, value in made.items()
                if id(value) not in self._entries and not is_fixed(value)
            }
            self._refuse_used_up(loose)
            # What a role's template can change would be another thing for the next role.
            made |= loose
            variables |= {n: value for n, value in made.items() if n not in loose or is_fixed(value)}
        columns = frozenset(view.columns_read)
        shared = _Shared(product, variables, view, columns, _columns_of(view.columns_read))
        self._last = shared
        return shared

    def _refuse_used_up(self, names: Iterable[str]) -> None:
        """A macro that changes what it uses writes another text for each picture that calls it."""
        if found := sorted(self._in_macros.intersection(names)):
            raise jinja2.TemplateRuntimeError(
                f"{SHARED}: a macro uses {', '.join(found)}, which changes when it is used; set it inside the macro, "
                "or put | list behind it"
            )

    def columns_of(self, role: str) -> frozenset[str] | None:
        """The columns that a role's prompts can depend on; None where only writing them can tell."""
        read = self.columns_read(role)
        return None if read is None else read | _COLUMNS_OF_CATEGORY

    def columns_read(self, role: str) -> frozenset[str] | None:
        """Those of them whose texts can be in its prompts, without those that only decide which words are taken."""
        found = [self._columns[name] for name in self._names_of(role)]
        return None if None in found else frozenset().union(*found)  # type: ignore[arg-type]  # none is None

    def columns_in(self, texts: Iterable[str]) -> frozenset[str] | None:
        """The columns that texts on pictures are made of; None where only filling them can tell."""
        found = [self._columns[text] for text in texts]
        return None if None in found else frozenset().union(*found)  # type: ignore[arg-type]  # none is None

    def _names_of(self, role: str) -> list[str]:
        """All files that a role's template is made of."""
        names = [f"{role}.j2", *([SHARED] if SHARED in self._sources else ())]
        for name in names:
            names.extend(ref for ref in self._references[name] if ref not in names)
        return names

    def _files_of(self, role: str) -> Mapping[str, str]:
        """The digests of these files."""
        if role not in self._made_of_files:
            names = self._names_of(role)
            digests = {f"template:{name}": self._digests[f"template:{name}"] for name in names}
            self._made_of_files[role] = digests | {"vocabulary": self._digests["vocabulary"]}
        return self._made_of_files[role]

    def _explain(self, error: Exception, template: str, product: Product) -> PromptError:
        """Say where in which template an error happened, and which column it is about."""
        line = 0
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename in self._sources:
                template, line = frame.filename, frame.lineno or 0
        place = f"{template} line {line}: SKU {product.sku}"
        place_zh = f"{template} 第 {line} 行：SKU {product.sku}"
        if isinstance(error, ColumnMissingError):
            return PromptError(
                f"{place}: no column for {error.name!r}; add it to the catalog or give the template a default",
                zh=f"{place_zh}：缺少 {error.name} 列；请在表格中补上，或在模板里给出默认值",
                code="column_missing",
            )
        return PromptError(
            f"{place}: {error}; mend the template",
            zh=f"{place_zh}：{error}；请修改模板",
            code="template_error",
        )


def _columns_of(read: Mapping[str, str | list[str]]) -> dict[str, str]:
    """The digests of columns by the names of ingredients."""
    return {
        _ingredient(column): _column_digest(value if isinstance(value, str) else tuple(value))
        for column, value in read.items()
    }


_same_line = lru_cache(maxsize=256)(one_line)
"""For texts that most pictures of a role have in common."""


@lru_cache(maxsize=REMEMBERED)
def _ingredient(column: str) -> str:
    return f"column:{column}"


@lru_cache(maxsize=REMEMBERED)
def _column_digest(value: str | tuple[str, ...]) -> str:
    return fingerprint("column", VERSION, value)[:12]
