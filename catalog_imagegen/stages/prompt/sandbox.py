"""The sandbox that templates run in, what they see of a product, and what can be told of one without running it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, MethodType
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.meta import find_referenced_templates
from jinja2.runtime import BlockReference, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS, Product
from catalog_imagegen.stages.prompt.texts import sanitise

TEMPLATE_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a template may come to."""
_HARMLESS = frozenset({Macro, BlockReference})
_METHODS_OF_TABLES = frozenset(dir(dict))
_COLUMNS = frozenset({*TEXT_FIELDS, *LIST_FIELDS})
_FIXED = (str, int, float, type(None), Macro, jinja2.Undefined)
"""Values that no template can use up or change."""
_PLAIN = frozenset({str, int, float, bool})
"""Those that nearly all values are, asked for first."""


class ColumnMissingError(jinja2.UndefinedError):
    """A template read a column that the catalog does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class StrictUndefined(jinja2.StrictUndefined):
    """Names what is missing, so that the message can say which column to add."""

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        if self._undefined_exception is not jinja2.UndefinedError:  # the sandbox refused it
            raise self._undefined_exception(self._undefined_message)
        raise ColumnMissingError(str(self._undefined_name))

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


class ProductView:
    """A product as templates see it: sanitised, extra columns by header, and it notes what is read.

    *known* columns were read for it before; *clean* makes its texts harmless.
    """

    def __init__(
        self,
        product: Product,
        known: Collection[str] = (),
        *,
        clean: Callable[[str], str] = sanitise,
    ) -> None:
        self._product = product
        self._known = known
        self._clean = clean
        self.columns_read: dict[str, str | list[str]] = {}
        """Those that were not known."""

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
            value = self._clean(getattr(self._product, name))
        elif name in LIST_FIELDS:
            value = [clean for text in getattr(self._product, name) if (clean := self._clean(text))]
        else:
            value = self._clean(self._product.extra[name])
        if name not in self._known:
            self.columns_read[name] = value
        return value


class _Compiled(jinja2.BaseLoader):
    """Gives templates that were compiled before."""

    def __init__(self) -> None:
        self.templates: dict[str, jinja2.Template] = {}

    def load(
        self,
        environment: jinja2.Environment,  # noqa: ARG002 - Jinja's
        name: str,
        globals: Any = None,  # noqa: A002, ARG002 - Jinja's
    ) -> jinja2.Template:
        """Raises TemplateNotFound."""
        if name not in self.templates:
            raise jinja2.TemplateNotFound(name)
        return self.templates[name]


class Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, with short ways to what is ours and harmless: every picture takes them dozens of times."""

    def __init__(self, words: type) -> None:
        """Methods of *words* may be called."""
        compiled = _Compiled()
        super().__init__(
            loader=compiled,
            undefined=StrictUndefined,
            autoescape=False,  # prompts are not HTML
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._words = words
        self._known = compiled.templates

    def add(self, name: str, compiled: Compiled) -> None:
        """From now on there is a template of this name."""
        self._known[name] = self.template_class.from_code(self, compiled.code, dict(self.globals))

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> jinja2.Template:  # noqa: A002
        """A template by its name; they never change, and looking each up costs as much as a short one."""
        known = self._known.get(name) if type(name) is str and globals is None else None
        return known or super().get_template(name, parent, globals)

    def written(self, name: str, variables: dict[str, Any]) -> str:
        """What a template makes of these *variables*, the environment's ``globals`` among them.

        Jinja's own ``render`` copies them twice.
        """
        template = self.get_template(name)
        context = template.new_context(variables, shared=True)
        try:
            return self.concat(template.root_render_func(context))
        except Exception:  # noqa: BLE001 - raised again, with the template's lines in place of the compiled ones
            self.handle_exception()

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Nothing of a class: ``dict.update`` would change what all templates share."""
        return not isinstance(obj, type) and super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A column of the product or an entry of the vocabulary; of all else what the sandbox allows."""
        kind = type(obj)
        if kind is dict and attribute not in _METHODS_OF_TABLES:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if kind is ProductView and attribute in _COLUMNS:
            return obj[attribute]
        if kind is Namespace and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro or one of our functions; the sandbox looks at all else."""
        is_ours = type(obj) is MethodType and type(obj.__self__) is self._words
        if is_ours or type(obj) in _HARMLESS or obj is Namespace or obj is dict:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return obj(*args, **kwargs)
        return super().call(context, obj, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template, and what can be told of it without running it."""

    code: CodeType
    named: tuple[str | None, ...]
    """The templates that it extends, includes or imports; None for one that is named when it is written."""
    columns: frozenset[str] | None
    """The columns that it reads itself, be it in one case only; None where it does anything else with the product."""
    in_macros: frozenset[str]
    """What its macros use, be it theirs or not."""


@lru_cache(maxsize=256)
def compiled(name: str, source: str) -> Compiled:
    """Compile a template: a third of the time in which a workspace is opened, so only once in a process.

    Raises TemplateSyntaxError.
    """
    tree = _ANY.parse(source, filename=name)
    named = tuple(find_referenced_templates(tree))
    columns, in_macros = _columns_in(tree), _names_in_macros(tree)
    code: Any = _ANY.compile(tree, name, name)  # the tree is of no use afterwards
    return Compiled(code, named, columns, in_macros)


_ANY = Sandbox(type(None))
"""All sandboxes compile alike."""


def _columns_in(tree: nodes.Template) -> frozenset[str] | None:
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


def _names_in_macros(tree: nodes.Template) -> frozenset[str]:
    return frozenset(name.name for macro in tree.find_all(nodes.Macro) for name in macro.find_all(nodes.Name))


def is_fixed(value: Any) -> bool:
    """Whether it is the same however often it is used: not a namespace, a joiner, or what a filter gives once."""
    if isinstance(value, _FIXED):
        return True
    if isinstance(value, list | tuple | dict):
        parts = value.values() if isinstance(value, dict) else value
        return all(type(part) in _PLAIN or is_fixed(part) for part in parts)
    return False


def at_hand(value: Any) -> Any:
    """What a filter gives only once, as a list."""
    return list(value) if isinstance(value, Iterator) else value
