"""Turns a product and an item into prompt text with sandboxed Jinja templates."""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MethodType
from typing import Any, NoReturn

import jinja2
import jinja2.meta
from jinja2 import nodes
from jinja2.runtime import BlockReference, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS, Product
from catalog_imagegen.domain.errors import ConfigError, ItemError
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.domain.imaging import Prompt

VERSION = 1
MAX_CHARACTERS = 120
"""Longest catalog value that reaches a prompt; Z-Image reads best between 150 and 350 in all."""
REMEMBERED = 20_000
"""Results kept of what is asked again and again: every picture of a product reads the same columns."""
MAX_PROMPT = 4_000
"""Characters; ComfyUI would take any number, but far fewer reach the picture."""
SHARED = "product.j2"
"""The template whose names every role's template has; without it there are none."""
DIVIDER = "\x1e"
"""Stands between positive and negative text; no catalog value can contain it."""

# Straight and curly double quotes and book-title marks ask Z-Image to draw the text between them.
_QUOTES = re.compile('["“”„‟＂「」『』《》〈〉【】<>`]')
# ComfyUI reads an embedding's file name after white space or at the start, in any case.
_EMBEDDING = re.compile(r"embedding\s*[:：]", re.IGNORECASE)

Vocabulary = Mapping[str, Sequence[Mapping[str, Any]]]
"""Table name → entries; an entry's ``keywords`` say which texts it speaks for, none means any."""


class PromptError(ItemError):
    """The prompt of one picture cannot be written; says template, line, SKU and column."""


@lru_cache(maxsize=REMEMBERED)
def sanitise(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Catalog text made harmless inside a prompt: one line, no drawing quotes, no embeddings, capped."""
    plain = "".join(
        "" if kind == "Cf" else " " if kind in {"Cc", "Zl", "Zp"} else c
        for c in text
        for kind in [unicodedata.category(c)]
    )
    plain, found = _QUOTES.sub("", plain), 1
    while found:  # removing one may put another together
        plain, found = _EMBEDDING.subn("", plain)
    return " ".join(plain.split())[:limit].strip()


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
    columns_read: Mapping[str, str | list[str]]
    made_of: Mapping[str, str]
    """The digests of these columns."""


class _ColumnMissingError(jinja2.UndefinedError):
    """A template read a column that the catalog does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _StrictUndefined(jinja2.StrictUndefined):
    """Names what is missing, so that the message can say which column to add."""

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        if self._undefined_exception is not jinja2.UndefinedError:  # the sandbox refused it
            raise self._undefined_exception(self._undefined_message)
        raise _ColumnMissingError(str(self._undefined_name))

    # jinja2 binds the operators to the parent's method when the class is made, so each is bound again.
    __iter__ = __str__ = __len__ = __bool__ = __eq__ = __ne__ = __hash__ = __contains__ = (
        _fail_with_undefined_error
    )
    __add__ = __radd__ = __call__ = __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = (
        _fail_with_undefined_error
    )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._fail_with_undefined_error()


class _ProductView:
    """A product as templates see it: sanitised, extra columns by header, and it notes what is read.

    *read* are columns that were read for it before.
    """

    def __init__(self, product: Product, read: Mapping[str, str | list[str]] | None = None) -> None:
        self._product = product
        self.columns_read: dict[str, str | list[str]] = dict(read or {})

    def __getattr__(self, name: str) -> str | list[str]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name: str) -> str | list[str]:
        value: str | list[str]
        if name in TEXT_FIELDS:
            value = sanitise(getattr(self._product, name))
        elif name in LIST_FIELDS:
            value = [clean for text in getattr(self._product, name) if (clean := sanitise(text))]
        else:
            value = sanitise(self._product.extra[name])
        self.columns_read[name] = value
        return value


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with short ways to what is ours and harmless: every picture takes them dozens of times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._known: dict[Any, jinja2.Template] = {}

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> jinja2.Template:  # noqa: A002
        """A template by its name; they never change, and looking each up costs as much as a short one."""
        if globals is not None or type(name) is not str:
            return super().get_template(name, parent, globals)
        if name not in self._known:
            self._known[name] = super().get_template(name, parent)
            self._known[name].globals = dict(self.globals)  # in one piece, which is copied for every picture
        return self._known[name]

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A column of the product or an entry of the vocabulary; of all else what the sandbox allows."""
        kind = type(obj)
        if kind is dict and attribute in obj and attribute not in _METHODS_OF_TABLES:
            return obj[attribute]
        if kind is _ProductView and attribute in _COLUMNS:
            return obj[attribute]
        if kind is Namespace and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro or one of our functions; the sandbox looks at all else."""
        is_ours = type(obj) is MethodType and type(obj.__self__) is PromptBook
        if is_ours or type(obj) in _HARMLESS or obj is Namespace:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return obj(*args, **kwargs)
        return super().call(context, obj, *args, **kwargs)


_TEMPLATE_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a template may come to."""
_HARMLESS = frozenset({Macro, BlockReference})
_COLUMNS_OF_CATEGORY = frozenset({"category", "name"})
"""What the variable ``category`` comes of."""
_METHODS_OF_TABLES = frozenset(dir(dict))
_COLUMNS = frozenset({*TEXT_FIELDS, *LIST_FIELDS})


class PromptBook:
    """All templates and the vocabulary beside them, compiled once.

    *templates* maps file names (``main.j2``) to their text. Raises ConfigError for a template that
    does not compile.
    """

    def __init__(self, templates: Mapping[str, str], vocabulary: Vocabulary) -> None:
        self._sources = dict(templates)
        self._vocabulary = vocabulary
        self._environment = _Environment(
            loader=jinja2.FunctionLoader(self._load),
            undefined=_StrictUndefined,
            autoescape=False,  # prompts are not HTML
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # our sources do not change
        )
        self._digests = {
            f"template:{name}": fingerprint("template", VERSION, text)[:12]
            for name, text in self._sources.items()
        }
        self._digests["vocabulary"] = fingerprint("vocabulary", VERSION, vocabulary)[:12]
        self._columns: dict[str, frozenset[str] | None] = {}
        self._references = {name: self._compile(name) for name in self._sources}
        self._last: _Shared | None = None
        self._made_of_files: dict[str, Mapping[str, str]] = {}
        self._seen: dict[tuple[tuple[str, ...], str], list[Any]] = {}
        self._found: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._keywords = {
            table: [([word.casefold() for word in entry.get("keywords", ())], entry) for entry in entries]
            for table, entries in vocabulary.items()
        }

    def __reduce__(self) -> Any:
        return PromptBook, (self._sources, self._vocabulary)

    def _load(self, name: str) -> tuple[str, str, None] | None:
        return (self._sources[name], name, None) if name in self._sources else None

    def _compile(self, name: str) -> tuple[str, ...]:
        """Compile a template and return the names it extends, includes or imports."""
        try:
            tree = self._environment.parse(self._sources[name], filename=name)
            self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise ConfigError(
                f"prompt_templates/{error.filename or name} line {error.lineno}: {error.message}; "
                "mend the template",
                zh=f"prompt_templates/{error.filename or name} 第 {error.lineno} 行：{error.message}；请修改模板",
                code="template_syntax",
            ) from error
        named = list(jinja2.meta.find_referenced_templates(tree))
        self._columns[name] = (
            None if None in named else _columns_in(tree)
        )  # one that is named when it is written
        found = tuple(ref for ref in named if ref)
        for reference in found:
            if reference not in self._sources:
                raise ConfigError(
                    f"prompt_templates/{name}: there is no {reference!r}; add that file or mend the name",
                    zh=f"prompt_templates/{name}：找不到模板 {reference}；请添加该文件或更正名称",
                    code="template_missing",
                )
        return found

    def has(self, role: str) -> bool:
        """Whether there is a template for this role."""
        return f"{role}.j2" in self._sources

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

    def write(self, role: str, product: Product, *, item: str, note: str = "") -> Written:
        """Write the prompt of one picture. Raises PromptError with template, line, SKU and column."""
        template = f"{role}.j2"
        try:
            shared = self._shared_by(product)
            view = _ProductView(product, shared.columns_read)
            variables = {
                **shared.variables,
                "product": view,
                "item": sanitise(item),
                "note": sanitise(note),
                "role": role,
                "divider": DIVIDER,
            }
            text = self._environment.get_template(template).render(variables)
        except _TEMPLATE_ERRORS as error:
            raise self._explain(error, template, product) from error
        positive, _, negative = text.partition(DIVIDER)
        if not 0 < len(positive.strip()) <= MAX_PROMPT:
            raise PromptError(
                f"{role}.j2: SKU {product.sku}: the prompt has {len(positive.strip())} characters, and 1 to "
                f"{MAX_PROMPT} make a picture; mend the template",
                zh=f"{role}.j2：SKU {product.sku}：提示词有 {len(positive.strip())} 个字，应为 1 到 {MAX_PROMPT}；请修改模板",
                code="prompt_length",
            )
        return Written(
            prompt=Prompt(positive=_one_line(positive), negative=_one_line(negative)),
            made_of={
                **shared.made_of,
                **_columns_of(view.columns_read, shared.made_of),
                **self._files_of(role),
            },
        )

    def _shared_by(self, product: Product) -> _Shared:
        """What all pictures of a product have in common; pictures of one product are asked for in a row."""
        if (known := self._last) is not None and known.product is product:
            return known
        view = _ProductView(product)
        variables: dict[str, Any] = {
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
            # One that a role's template changed would be another one for the next role.
            variables |= {name: value for name, value in made.items() if type(value) is not Namespace}
        shared = _Shared(product, variables, view.columns_read, _columns_of(view.columns_read))
        self._last = shared
        return shared

    def columns_of(self, role: str) -> frozenset[str] | None:
        """The columns that a role's prompts can depend on; None where only writing them can tell."""
        found = [_COLUMNS_OF_CATEGORY, *(self._columns[name] for name in self._names_of(role))]
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
        if isinstance(error, _ColumnMissingError):
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


def _columns_in(tree: nodes.Template) -> frozenset[str] | None:
    """The columns that a template reads, be it in one case only; None where it does anything else with the product."""
    read = [found.attr for found in tree.find_all(nodes.Getattr) if _is_product(found.node)]
    read += [
        str(found.arg.value)
        for found in tree.find_all(nodes.Getitem)
        if _is_product(found.node) and isinstance(found.arg, nodes.Const)
    ]
    named = sum(map(_is_product, tree.find_all(nodes.Name)))
    return frozenset(read) if len(read) == named else None


def _is_product(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "product"


def _columns_of(read: Mapping[str, str | list[str]], known: Container[str] = ()) -> dict[str, str]:
    """The digests of columns that are not *known* yet, by the names of ingredients."""
    return {
        name: _column_digest(value if isinstance(value, str) else tuple(value))
        for column, value in read.items()
        if (name := f"column:{column}") not in known
    }


@lru_cache(maxsize=REMEMBERED)
def _column_digest(value: str | tuple[str, ...]) -> str:
    return fingerprint("column", VERSION, value)[:12]


def _one_line(text: str) -> str:
    """Templates are laid out for reading; the model gets one line. Chinese needs no joining spaces."""
    joined = "".join(map(str.strip, text.split("\n")))
    return re.sub(r"[ \t]+", " ", joined) if "  " in joined or "\t" in joined else joined
