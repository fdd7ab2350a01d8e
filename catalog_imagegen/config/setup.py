"""What decides which pictures are made: roles, platforms, workflows, templates, columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from catalog_imagegen.config.declarations import api_graph_text
from catalog_imagegen.config.designs import OF_PARTS, check_designs, check_unused
from catalog_imagegen.config.files import Strict, overlaid, read_text, read_toml, unknown, validated
from catalog_imagegen.config.layouts import load_layouts
from catalog_imagegen.config.platforms import Name, load_platforms
from catalog_imagegen.config.screening import load_screen
from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole
from catalog_imagegen.pipeline.designing import text_templates
from catalog_imagegen.pipeline.want import Setup
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import POINTS, REFERENCES, Workflow, parse_workflow

MOST_PIXELS = 4096
"""Of a side of a render."""
RenderSide = Annotated[int, Field(ge=16, le=MOST_PIXELS, multiple_of=16)]
Text = Annotated[str, Field(min_length=1)]
_Share = Annotated[float, Field(ge=0, le=1)]
FIXED = ("steps", "cfg", "sampler", "scheduler", "denoise", "shift", "lora", "lora_strength")
"""Keys of a role that are values for input points of their name."""
NO_TEXTS: Mapping[str, str] = MappingProxyType({})
MOST_DISTORTED = 0.03
"""Share by which the shape of a smaller size may differ: the grid of 16 pixels does not allow every one exactly."""


class _RoleTable(Strict):
    workflow: str = Field(
        default="",
        description="The graph to render with: `config/workflows/<workflow>.json`; none with `stitch`",
    )
    size: tuple[RenderSide, RenderSide] = Field(description="Pixels of the render: width, height")
    items: tuple[str, ...] = Field(
        default=(), description="A constant list of items; either this or `items_from`"
    )
    items_from: Literal["", "features", "usage_scenarios", "detail_features", "advantages", "accessories"] = (
        Field(default="", description="The list column of the catalog that items come from")
    )
    items_need: str = Field(
        default="",
        pattern=r"^([^.]+\.[^.]+)?$",
        description="`table.entry` of the vocabulary: only items that have it, in the vocabulary's order",
    )
    default_items: tuple[str, ...] = Field(
        default=(), description="Used where the column is empty; without it an empty column means no picture"
    )
    max: int = Field(default=1, ge=1, le=50, description="Pictures per product at most")
    scope: Literal["sku", "spu"] = Field(
        default="sku",
        description="`sku`: every variant its own; `spu`: variants of one 款号 share the picture",
    )
    approval: Literal["human", "auto"] = Field(
        default="human", description="`human`: a draft until somebody approves it; `auto`: approved at once"
    )
    enabled: bool = Field(default=True, description="`false` keeps the role out of every plan")
    steps: int | None = Field(default=None, ge=1, description="A fixed value for this input of the workflow")
    cfg: float | None = Field(default=None, ge=0, description="A fixed value for this input of the workflow")
    sampler: Text | None = Field(default=None, description="Likewise, e.g. `res_multistep`")
    scheduler: Text | None = Field(default=None, description="Likewise, e.g. `simple`")
    denoise: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Likewise: how far the model may leave the picture it starts from",
    )
    shift: float | None = Field(default=None, ge=0, description="Likewise, of the model's noise schedule")
    lora: Text | None = Field(default=None, description="Likewise: a file of the server's `models/loras`")
    lora_strength: float | None = Field(
        default=None, ge=-10, le=10, description="Likewise; 0 switches the LoRA off"
    )
    product: Literal["auto", "generate", "reference", "cutout", "composite"] = Field(
        default="auto",
        description="Where the product comes from: `generate`: a model invents it; `reference`: the workflow is given "
        "the product's own photo; `cutout`: that photo, cleaned onto white, without a GPU; `composite`: the photo's "
        "product in a scene that a model renders; `auto`: with `on_white` a cut-out where a photo allows it, else a model "
        "invents it and somebody has to look whatever `approval` says",
    )
    on_white: bool = Field(
        default=False,
        description="Its pictures show the product alone on white, as a photo can do: see `product`",
    )
    room: tuple[_Share, _Share, _Share, _Share] = Field(
        default=(0.2, 0.3, 0.8, 0.9),
        description="`composite`: where the product stands, as shares of the picture: left, top, right, bottom",
    )
    needs: tuple[Text, ...] = Field(
        default=(), description="`tags` that a server must have in `config/app.toml` to render it"
    )
    smaller_sizes: tuple[tuple[RenderSide, RenderSide], ...] = Field(
        default=(),
        description="Sizes of the same shape to try, in this order, when every server runs out of memory",
    )
    text: Literal["none", "overlay", "model"] = Field(
        default="none",
        description="`overlay`: the texts of its layout are set on each file; `model`: the template may have the model draw up "
        "to 3 texts of 8 characters, and the layout sets them where it does not",
    )
    layout: str = Field(default="", description="A layout of `config/layouts.toml`")
    stitch: tuple[Name, ...] = Field(
        default=(),
        description="Two roles: their pictures of the same item are put side by side, and nothing else is rendered for it",
    )
    labels: tuple[Text, ...] = Field(
        default=(), description="With `stitch`: what is written on the two; templates, as in layouts"
    )


class _WorkflowTable(Strict):
    points: dict[Annotated[str, Field(pattern=f"^({'|'.join(POINTS)})$")], str] = Field(
        default={}, description="Input point → `title.input` or `id.input` of the graph"
    )


class RolesFile(Strict):
    """``roles.toml``: the roles, and how workflows are mapped."""

    roles: dict[Name, _RoleTable]
    workflows: dict[str, _WorkflowTable] = Field(default={})


KEYS = [name for model in (RolesFile, _RoleTable) for name in model.model_fields]


def load_setup(workspace: Workspace) -> Setup:
    """Roles, platforms, workflows and templates, checked against each other."""
    roles_path = workspace.own_or_packaged("config/roles.toml")
    file = validated(RolesFile, read_toml(roles_path), roles_path, KEYS)
    workflows = _load_workflows(workspace, file)
    layouts = load_layouts(workspace)
    roles = make_roles(file)
    check_designs(roles, layouts.by_name, roles_path)
    prompts = load_prompts(workspace, text_templates(roles, layouts.by_name))
    for name, table in file.roles.items():
        check_role(name, table, roles_path, workflows, prompts)
    packaged_roles = read_toml(defaults() / "config" / "roles.toml")["roles"]
    platforms = load_platforms(workspace, roles, packaged_roles=packaged_roles)
    return Setup(
        roles=roles,
        platforms=platforms,
        workflows=workflows,
        prompts=prompts,
        sources=_read_sources(workspace, workflows),
        screen=load_screen(workspace, roles, platforms),
        layouts=layouts.by_name,
        fonts=layouts.fonts,
    )


def _read_sources(workspace: Workspace, workflows: Iterable[str]) -> Mapping[str, str]:
    """What pictures are made by, as it is written: name below the workspace → text."""
    places = [f"config/workflows/{name}.json" for name in workflows]
    places += [f"prompt_templates/{path.name}" for path in template_files(workspace)]
    places += ["prompt_templates/vocabulary.toml"]
    paths = {place: workspace.own_or_packaged(place) for place in places}
    return {place: read_text(path) for place, path in paths.items() if path.is_file()}


def template_files(workspace: Workspace) -> list[Path]:
    """The templates in the workspace's folder, or the packaged ones where it has none."""
    return sorted(workspace.own_or_packaged("prompt_templates").glob("*.j2"))


def load_points(workspace: Workspace, workflow: str) -> Mapping[str, str]:
    """How the workspace maps the input points of a workflow; empty where it does not."""
    path = workspace.own_or_packaged("config/roles.toml")
    file = validated(RolesFile, read_toml(path), path, KEYS)
    return file.workflows[workflow].points if workflow in file.workflows else {}


def load_prompts(workspace: Workspace, texts: Mapping[str, str] = NO_TEXTS) -> PromptBook:
    """The templates and the vocabulary beside them, and the *texts* that pictures show."""
    templates = {path.name: read_text(path) for path in template_files(workspace)}
    return PromptBook(templates, load_vocabulary(workspace), texts)


def load_vocabulary(workspace: Workspace) -> Mapping[str, list[Mapping[str, Any]]]:
    """The vocabulary beside the templates; empty where there is none. Raises ConfigError for a wrong shape."""
    path = workspace.own_or_packaged("prompt_templates") / "vocabulary.toml"
    tables = read_toml(path) if path.is_file() else {}
    for name, entries in tables.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigError(
                f"{path}: {name} must be a list of tables; write each as [[{name}]]",
                zh=f"{path}：{name} 应为表的列表；请把每一项写成 [[{name}]]",
                code="vocabulary_shape",
            )
        for entry in entries:
            keywords = entry.get("keywords", [])
            if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
                raise ConfigError(
                    f'{path}: {name}.keywords is {keywords!r:.60}; write a list of texts: keywords = ["…"]',
                    zh=f'{path}：{name}.keywords 的值是 {keywords!r:.60}；请写成文字列表：keywords = ["…"]',
                    code="vocabulary_shape",
                )
    return tables


def load_columns(workspace: Workspace) -> Mapping[str, Any]:
    """Header aliases: the packaged ones, overlaid by the workspace's."""
    return overlaid(workspace, "config/columns.toml")


def _load_workflows(workspace: Workspace, file: RolesFile) -> Mapping[str, Workflow]:
    folder = workspace.own_or_packaged("config/workflows")
    paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in file.workflows:
        if name not in paths:
            raise unknown("workflow", "工作流", folder, name, paths)
    found = {}
    for name in dict.fromkeys(table.workflow for table in file.roles.values() if table.workflow):
        if name not in paths:
            raise unknown("workflow", "工作流", folder, name, paths)
        points = file.workflows[name].points if name in file.workflows else {}
        found[name] = read_workflow(paths[name], points)
    return found


def read_workflow(path: Path, points: Mapping[str, str]) -> Workflow:
    """The workflow in a file of either format, with some of its points mapped. Raises ConfigError."""
    return parse_workflow(path.stem, api_graph_text(path.stem, read_text(path)), points)


def check_role(
    name: str, table: _RoleTable, path: Path, workflows: Mapping[str, Workflow], prompts: PromptBook
) -> None:
    """Raises ConfigError for a role that lacks a template, or does not fit its workflow."""
    if table.stitch:
        check_unused(name, table.model_fields_set, path)
        return
    if table.enabled and not prompts.has(name):
        raise ConfigError(
            f"{path}: the role {name} has no prompt_templates/{name}.j2; add the template or set enabled = false",
            zh=f"{path}：图片角色 {name} 没有模板 prompt_templates/{name}.j2；请添加模板或设 enabled = false",
            code="template_missing",
        )
    if bool(table.items) == bool(table.items_from):
        raise ConfigError(
            f"{path}: roles.{name} has both or neither of items and items_from; set one of them",
            zh=f"{path}：roles.{name} 的 items 与 items_from 同时存在或都没有；请只保留其中一个",
            code="role_items",
        )
    workflow = workflows[table.workflow]
    for point in FIXED:
        if getattr(table, point) is not None and workflow.lacks(point):
            raise ConfigError(
                f"{path}: roles.{name}.{point} is set, but the workflow {table.workflow} has no such input; remove it, "
                f"or title the node that has it {point}",
                zh=f"{path}：设置了 roles.{name}.{point}，但工作流 {table.workflow} 没有该输入；请删除，"
                f"或把有该输入的节点的标题改为 {point}",
                code="workflow_point_missing",
            )
    _check_reference(name, table, path, workflow)
    _check_room(name, table, path, prompts)
    _check_smaller(name, table, path)
    _check_enlarged(name, table, path, workflow)


def _check_reference(name: str, table: _RoleTable, path: Path, workflow: Workflow) -> None:
    """The photo of a product reaches the workflow, and no workflow that waits for one gets somebody else's."""
    is_given = table.product == "reference"
    if is_given and workflow.lacks("reference"):
        raise ConfigError(
            f'{path}: roles.{name}.product is "reference", but the workflow {table.workflow} does not say which picture is '
            'the product\'s; title its Load Image node "reference"',
            zh=f'{path}：roles.{name}.product 为 "reference"，但工作流 {table.workflow} 没有说明哪张图是商品照片；'
            "请把其中“加载图像”节点的标题改为 reference",
            code="workflow_point_missing",
        )
    if not is_given and any(
        point in workflow.points and workflow.points[point].found_by != "tracing" for point in REFERENCES
    ):
        raise ConfigError(
            f"{path}: the workflow {table.workflow} is made for the product's photo, and the role {name} does not give "
            f'it one, so it would use a file that happens to lie on the server; set roles.{name}.product = "reference"',
            zh=f"{path}：工作流 {table.workflow} 需要商品照片，而图片角色 {name} 没有提供，会误用服务器上的旧文件；"
            f'请设 roles.{name}.product = "reference"',
            code="reference_unset",
        )


def _check_room(name: str, table: _RoleTable, path: Path, prompts: PromptBook) -> None:
    """The product's place in a scene is one, and the scene is asked for without the product."""
    if table.enabled and table.product == "composite" and not prompts.leaves_room(name):
        raise ConfigError(
            f'{path}: roles.{name}.product is "composite", but prompt_templates/{name}.j2 always asks for the product, which '
            "would be there twice; have it ask for the scene alone where in_scene is true, as lifestyle.j2 does",
            zh=f'{path}：roles.{name}.product 为 "composite"，但 prompt_templates/{name}.j2 总是要求画出商品，商品会出现两次；'
            "请仿照 lifestyle.j2，在 in_scene 为真时只描述场景",
            code="no_scene",
        )
    left, top, right, bottom = table.room
    if left >= right or top >= bottom:
        raise ConfigError(
            f"{path}: roles.{name}.room is {list(table.room)}; write left, top, right and bottom, e.g. [0.2, 0.3, 0.8, 0.9]",
            zh=f"{path}：roles.{name}.room 的值是 {list(table.room)}；应依次为左、上、右、下，例如 [0.2, 0.3, 0.8, 0.9]",
            code="room",
        )


def _check_smaller(name: str, table: _RoleTable, path: Path) -> None:
    """Each smaller size has the shape of the wanted one, and is smaller than the one before."""
    before, shape = table.size[0] * table.size[1], table.size[0] / table.size[1]
    for width, height in table.smaller_sizes:
        if width * height >= before or abs(width / height / shape - 1) > MOST_DISTORTED:
            raise ConfigError(
                f"{path}: roles.{name}.smaller_sizes: {width} × {height} is not smaller than what comes before it, or "
                f"has another shape than {table.size[0]} × {table.size[1]}; list sizes of that shape, the largest first",
                zh=f"{path}：roles.{name}.smaller_sizes：{width} × {height} 没有比前一个小，或与 "
                f"{table.size[0]} × {table.size[1]} 的比例不同；请按从大到小写相同比例的尺寸",
                code="smaller_sizes",
            )
        before = width * height


def _check_enlarged(name: str, table: _RoleTable, path: Path, workflow: Workflow) -> None:
    """Each size is a whole one before the workflow enlarges it."""
    step, most = workflow.step, MOST_PIXELS - MOST_PIXELS % workflow.step
    wrong = [size for size in (table.size, *table.smaller_sizes) if any(side % step for side in size)]
    if not wrong:
        return
    (width, height), times = wrong[0], f"{float(workflow.enlarges):g}"
    near = [min(most, max(step, round(side / step) * step)) for side in wrong[0]]
    remedy_en = f"write multiples of {step}, e.g. [{near[0]}, {near[1]}]"
    remedy_zh = f"请写 {step} 的倍数，例如 [{near[0]}, {near[1]}]"
    if not most:
        remedy_en = "let the workflow enlarge 1.5, 1.6 or 2 times"
        remedy_zh = "请把工作流的放大倍数改为 1.5、1.6 或 2"
    raise ConfigError(
        f"{path}: roles.{name}: {width} × {height} cannot be made by the workflow {table.workflow}, which makes pictures of "
        f"whole multiples of 16 pixels and then enlarges them {times} times; {remedy_en}",
        zh=f"{path}：roles.{name}：工作流 {table.workflow} 先生成边长为 16 的倍数的图片，再放大 {times} 倍，"
        f"无法得到 {width} × {height}；{remedy_zh}",
        code="size_not_whole",
    )


def make_roles(file: RolesFile) -> Mapping[str, ImageRole]:
    """All roles; one that shows two others side by side has their items."""
    roles = {name: make_role(name, table) for name, table in file.roles.items()}
    for role in list(roles.values()):
        if role.stitch and (part := roles.get(role.stitch[0])) is not None:
            shared = {name: getattr(part, name) for name in OF_PARTS}
            roles[role.name] = replace(role, **shared)
    return roles


def make_role(name: str, table: _RoleTable) -> ImageRole:
    """A role from its table."""
    fixed = {point: getattr(table, point) for point in FIXED}
    width, height = table.size
    return ImageRole(
        name=name,
        width=width,
        height=height,
        inputs={point: value for point, value in fixed.items() if value is not None},
        **table.model_dump(exclude={"size", *FIXED}),
    )
