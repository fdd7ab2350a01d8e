"""Checks of what becomes a job: workflows, and templates rendered with sample products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from catalog_imagegen.adapters.catalogs import Way
from catalog_imagegen.bootstrap.doctor.finding import Finding, fine, wrong
from catalog_imagegen.bootstrap.house import read_source
from catalog_imagegen.config import Workspace, defaults
from catalog_imagegen.config.checkup import load_roles, load_templates, load_workflow, workflow_names
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole
from catalog_imagegen.pipeline.want import items
from catalog_imagegen.stages.prompt import PromptBook, PromptError
from catalog_imagegen.stages.workflow import POINTS, Workflow

MINIMAL = Product(sku="MINIMAL-1", name="商品", category="家居")
"""What the poorest catalog gives."""
ANY_VALUE = "样例"
_NO_TEMPLATES = ConfigError(
    "this workspace has no prompt_templates folder, so packaged templates are used; put yours back, or copy the "
    "packaged ones with catalog-imagegen init DIR",
    zh="工作区没有 prompt_templates 文件夹，正在使用内置模板；请放回您的模板，或用 catalog-imagegen init DIR 复制内置模板",
    code="templates_packaged",
)


def workflows_in_use(workspace: Workspace) -> tuple[dict[str, Workflow], dict[str, ConfigError]]:
    """The workflows of enabled roles, and the broken ones."""
    good, bad = {}, {}
    for name in workflow_names(workspace):
        try:
            good[name] = load_workflow(workspace, name)
        except ConfigError as error:
            bad[name] = error
    return good, bad


def examine_workflows(workspace: Workspace) -> Iterator[Finding]:
    """Whether each workflow in use can be read and has the points it needs."""
    good, bad = workflows_in_use(workspace)
    for name, workflow in good.items():
        points = [point for point in POINTS if not workflow.lacks(point)]
        names = ", ".join(points)
        yield fine("workflow", f"{name}.json", f"takes {names}", f"可设置 {names}", points=points)
    for name, error in bad.items():
        yield wrong("workflow", f"{name}.json", error)


def examine_templates(workspace: Workspace, headers: Iterable[str]) -> Iterator[Finding]:
    """Whether the template of each enabled role can be written for a product of every category.

    *headers* are extra columns that the shop's own catalogs have, and that templates may read.
    """
    if not (workspace.root / "prompt_templates").is_dir():
        yield wrong("template", "prompt_templates", _NO_TEMPLATES, status="warning")
    book, bad = load_templates(workspace)
    for name, error in bad.items():
        yield wrong("template", f"prompt_templates/{name}", error)
    if "vocabulary.toml" in bad:  # nothing that is written without it tells anything
        return
    roles = {name: role for name, role in _roles(workspace).items() if book.has(name)}
    products = _products(headers)
    trial = _Trial(book, {}, set(), [])
    for role in roles.values():
        trial.write(role, products)
    yield from trial.failures.values()
    if not trial.failures and not bad:
        yield _all_written(workspace, roles, products, trial)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Writes prompts, and notes what came of it."""

    book: PromptBook
    failures: dict[str, Finding]
    """By the message without the SKU, so that what fails for every product is told once."""
    with_negative: set[str]
    lengths: list[int]

    def write(self, role: ImageRole, products: Iterable[Product]) -> None:
        for product in products:
            for item in items(role, product, self.book):
                try:
                    prompt = self.book.write(role.name, product, item=item, text=role.text).prompt
                except PromptError as error:
                    self._note(role, product, error)
                    continue
                self.lengths.append(len(prompt.positive))
                if prompt.negative:
                    self.with_negative.add(role.name)

    def _note(self, role: ImageRole, product: Product, error: PromptError) -> None:
        finding = wrong("template", f"{role.name}.j2", error, role=role.name, product=product.sku)
        self.failures.setdefault(error.message_en.replace(product.sku, ""), finding)


def _all_written(
    workspace: Workspace, roles: Mapping[str, ImageRole], products: list[Product], trial: _Trial
) -> Finding:
    workflows, _ = workflows_in_use(workspace)
    unused = sorted(
        name
        for name in trial.with_negative
        if name in roles
        and (w := workflows.get(roles[name].workflow)) is not None
        and _is_deaf(roles[name], w)
    )
    longest = max(trial.lengths, default=0)
    en = f"{len(roles)} roles written for {len(products)} sample products, {longest} characters at most"
    zh = f"{len(roles)} 种图片角色 × {len(products)} 个示例商品，最长 {longest} 字"
    if unused:
        en += "; negative text goes unused: the workflow takes none, or skips it at cfg 1"
        zh += "；工作流不使用负面提示词（没有该输入，或 cfg 为 1），该部分文字不起作用"
    return fine("template", "prompt_templates", en, zh, longest=longest, unused_negative=unused)


def _is_deaf(role: ImageRole, workflow: Workflow) -> bool:
    """Whether negative text goes unused: there is no input for it, or the sampler skips it at cfg 1."""
    return workflow.lacks("negative") or role.inputs.get("cfg", workflow.typed("cfg")) == 1


def _roles(workspace: Workspace) -> dict[str, ImageRole]:
    """The enabled roles; none while the file cannot be read, which is another check's finding."""
    try:
        return {name: role for name, role in load_roles(workspace).items() if role.enabled}
    except ConfigError:
        return {}


def _products(headers: Iterable[str]) -> list[Product]:
    """A product of each category of the packaged sample catalog, and the poorest there can be."""
    sample = str(defaults() / "sample_catalog" / "products.xlsx")
    by_category: dict[str, Product] = {}
    for product in read_source(sample, Way(), Workspace(defaults()), keeps_pictures=False).products:
        by_category.setdefault(product.category, product)
    more = dict.fromkeys(headers, ANY_VALUE)
    return [replace(p, extra={**more, **p.extra}) for p in (*by_category.values(), MINIMAL)]
