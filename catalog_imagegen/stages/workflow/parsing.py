"""Reads a workflow and finds its points: by mapping, by title, by tracing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.stages.workflow.anatomy import PREFIX, Anatomy, dissect, readers, savers
from catalog_imagegen.stages.workflow.graph import Graph, called, parse_graph, title_of, upstream
from catalog_imagegen.stages.workflow.points import POINTS, REQUIRED, VERSION, Point, Workflow
from catalog_imagegen.stages.workflow.tracing import CARRIERS, TRACING, Tracer, place_of

SIZE = "size"
"""The title of a node that carries both width and height."""


def parse_workflow(name: str, text: str, mapping: Mapping[str, str] | None = None) -> Workflow:
    """Read an API-format workflow and find its points.

    *mapping* names points as ``"title or id.input"`` and comes before titles, which come before
    tracing. Of several nodes that save a picture, one can be chosen by title or mapping; the others are left out.
    Raises ConfigError that names file, node and remedy.
    """
    graph = parse_graph(name, text)
    signs = _Signs(name, graph, mapping or {})
    prefix = signs.find(PREFIX)
    saving = savers(graph)
    keepers = readers(graph, (prefix.node, prefix.input)) if prefix is not None else saving
    anatomy = dissect(graph, keepers)
    if prefix is None and len(saving) == 1:
        prefix = Point(saving[0], PREFIX, TRACING)
    tracer = Tracer(anatomy)
    points = {}
    for point in POINTS:
        found = prefix if point == PREFIX else signs.find(point, live=anatomy.live) or tracer.find(point)
        if found is not None:
            points[point] = found
    _drop_common_text(points)
    _check_complete(name, points, anatomy, tracer, saving)
    _refuse_shared(name, points)
    points = {point: _without_echoes_at(points, at) for point, at in points.items()}
    enlarges = _enlarges(name, points, graph, tracer)
    if enlarges != 1:
        points |= {side: _before(points[side], enlarges) for side in ("width", "height")}
    kept = _with_one_saver(anatomy)
    digest = fingerprint("workflow", VERSION, kept)[:12]
    return Workflow(name=name, graph=kept, points=points, digest=digest, enlarges=enlarges)


def anatomy_of(workflow: Workflow) -> Anatomy:
    """The nodes of a workflow that matter."""
    prefix = workflow.points[PREFIX]
    return dissect(workflow.graph, readers(workflow.graph, (prefix.node, prefix.input)))


def _with_one_saver(anatomy: Anatomy) -> Graph:
    """The graph without the nodes that save other pictures: one picture is kept of each job."""
    graph = anatomy.graph
    others = {node for node, body in graph.items() if PREFIX in body["inputs"] and node not in anatomy.live}
    return {node: body for node, body in graph.items() if others.isdisjoint(upstream(graph, [node]))}


class _Signs:
    """Points that somebody wrote down, in the config or as titles of nodes."""

    def __init__(self, name: str, graph: Graph, mapping: Mapping[str, str]) -> None:
        self._name = name
        self._graph = graph
        self._mapping = mapping

    def find(self, point: str, *, live: frozenset[str] = frozenset()) -> Point | None:
        """Where a point is said to be; of nodes with one title that which the picture needs counts."""
        return self._mapped(point, self._mapping.get(point, ""), live) or self._titled(point, live)

    def _mapped(self, point: str, target: str, live: frozenset[str]) -> Point | None:
        if not target:
            return None
        where, _, input_name = target.rpartition(".")
        node = where if where in self._graph else self._by_title(where, live)
        if node is None or input_name not in self._graph[node]["inputs"]:
            raise ConfigError(
                f"workflow {self._name}: config maps {point} to {target!r}, which is not in the graph; "
                "write it as title.input or id.input",
                zh=f"工作流 {self._name}：配置把 {point} 指向 {target}，但图中没有；请写成「标题.输入」或「编号.输入」",
                code="workflow_mapping_wrong",
            )
        return Point(node, input_name, "mapping")

    def _titled(self, point: str, live: frozenset[str]) -> Point | None:
        for title in (point, SIZE) if point in ("width", "height") else (point,):
            if (node := self._by_title(title, live, carrying=point)) is not None:
                name = next(n for n in CARRIERS[point] if self._graph[node]["inputs"].get(n) is not None)
                return Point(*place_of(self._graph, node, name, point), "title")
        return None

    def _by_title(self, title: str, live: frozenset[str], carrying: str = "") -> str | None:
        """The node of a title, or, of those with it, the one that has an input for the point *carrying*."""
        found = [node for node in self._graph if title and title_of(self._graph, node) == title]
        if carrying:
            inputs = {node: self._graph[node]["inputs"] for node in found}
            found = [n for n in found if any(inputs[n].get(name) is not None for name in CARRIERS[carrying])]
        found = [node for node in found if node in live] or found
        if len(found) > 1:
            raise ConfigError(
                f"workflow {self._name}: {len(found)} nodes are titled {title!r}, and only one "
                "can be the input point; rename the others",
                zh=f"工作流 {self._name}：有 {len(found)} 个节点标题都是 {title}，但输入点只能有一个；请给其他节点改名",
                code="workflow_title_ambiguous",
            )
        return found[0] if found else None


def _drop_common_text(points: dict[str, Point]) -> None:
    """Where the links of the negative side lead to the prompt there is no negative text."""
    positive, negative = points.get("positive"), points.get("negative")
    if positive is None or negative is None or negative.found_by != TRACING:
        return
    if (positive.node, positive.input) == (negative.node, negative.input):
        del points["negative"]


def _check_complete(
    name: str, points: Mapping[str, Point], anatomy: Anatomy, tracer: Tracer, saving: list[str]
) -> None:
    """Raises ConfigError for a point that every picture needs, with what stands in its way."""
    missing = [point for point in REQUIRED if point not in points]
    if not missing:
        return
    if PREFIX in missing and len(saving) > 1:
        raise _ambiguous_savers(name, anatomy.graph, saving)
    if len(anatomy.firsts) > 1:
        raise _ambiguous_samplers(name, anatomy.firsts)
    if set(missing) <= {"width", "height"} and tracer.begins_with_picture():
        raise _size_follows(name)
    raise ConfigError(
        f"workflow {name}: no input point for {', '.join(missing)}; give a node the title of the point "
        f'(e.g. "{missing[0]}") or map it in config/roles.toml: [workflows.{name}.points]',
        zh=f"工作流 {name}：找不到输入点 {'、'.join(missing)}；请把节点标题改为该名称，"
        f"或在 config/roles.toml 的 [workflows.{name}.points] 中指定",
        code="workflow_point_missing",
    )


def _ambiguous_savers(name: str, graph: Graph, saving: list[str]) -> ConfigError:
    nodes = [called(graph, node) for node in saving]
    return ConfigError(
        f"workflow {name}: {len(nodes)} nodes save pictures, {', '.join(nodes)}, and one picture is kept; title the "
        f'node that saves it "{PREFIX}" or map it in config/roles.toml: [workflows.{name}.points]',
        zh=f"工作流 {name}：有 {len(nodes)} 个保存图片的节点（{'、'.join(nodes)}），但只保留一张；"
        f"请把要保留的那个节点的标题改为 {PREFIX}，或在 config/roles.toml 的 [workflows.{name}.points] 中指定",
        code="workflow_saver_ambiguous",
    )


def _ambiguous_samplers(name: str, firsts: tuple[str, ...]) -> ConfigError:
    return ConfigError(
        f"workflow {name}: {len(firsts)} samplers ({', '.join(firsts)}), none of which refines another's picture; map "
        f"the points of the one to drive in config/roles.toml: [workflows.{name}.points]",
        zh=f"工作流 {name}：有 {len(firsts)} 个互不相连的采样器（{'、'.join(firsts)}）；"
        f"请在 config/roles.toml 的 [workflows.{name}.points] 中指定",
        code="workflow_sampler_ambiguous",
    )


def _size_follows(name: str) -> ConfigError:
    return ConfigError(
        f"workflow {name}: its pictures take the size of the picture that is loaded, so they would not have that of "
        'their role; put an "Upscale Image" (ImageScale) node with crop = center behind Load Image and title it '
        f'"{SIZE}"',
        zh=f"工作流 {name}：成图尺寸取决于载入的图片，无法得到图片角色的尺寸；请在“加载图像”之后插入“缩放图像”"
        f"（ImageScale，crop = center）节点，并把标题改为 {SIZE}",
        code="workflow_point_missing",
    )


def _enlarges(name: str, points: Mapping[str, Point], graph: Graph, tracer: Tracer) -> Fraction:
    """How many times larger pictures are than the node that sets their size makes them, as far as links tell.

    Pictures of another size than their role's all fail, each after the GPU's work: raises ConfigError where nobody can tell.
    """
    if points["width"].found_by != TRACING:
        return Fraction(1)
    found = tracer.enlarges()
    if found is None or (found != 1 and points["height"].found_by != TRACING):
        nodes = [called(graph, node) for node in tracer.resizers()]
        raise ConfigError(
            f"workflow {name}: {', '.join(nodes)} changes the size behind the node that sets it, so pictures would not "
            'have the size of their role; put an "Upscale Image" (ImageScale) node before the one that saves and '
            f'title it "{SIZE}"',
            zh=f"工作流 {name}：{'、'.join(nodes)} 在设定尺寸之后又改变了尺寸，成图不会是图片角色的尺寸；"
            f"请在保存节点之前插入“缩放图像”（ImageScale）节点，并把标题改为 {SIZE}",
            code="workflow_size_changes",
        )
    return found


def _before(at: Point, enlarges: Fraction) -> Point:
    """A side of the picture where it is set, before it is enlarged."""
    echoes = tuple(replace(echo, share=echo.share / float(enlarges)) for echo in at.echoes)
    return replace(at, share=float(1 / enlarges), echoes=echoes)


def _refuse_shared(name: str, points: Mapping[str, Point]) -> None:
    """One input cannot hold two values: a primitive that feeds width and height makes every size square."""
    holders: dict[tuple[str, str], str] = {}
    for point, at in points.items():
        if (other := holders.setdefault((at.node, at.input), point)) != point:
            raise ConfigError(
                f"workflow {name}: {other} and {point} are the same input ({at.node}.{at.input}); give each its own",
                zh=f"工作流 {name}：{other} 与 {point} 是同一个输入（{at.node}.{at.input}）；请为它们分别设置",
                code="workflow_point_shared",
            )


def _without_echoes_at(points: Mapping[str, Point], at: Point) -> Point:
    """A point that does not reach into the places of others."""
    taken = {(other.node, other.input) for other in points.values()}
    return replace(at, echoes=tuple(echo for echo in at.echoes if (echo.node, echo.input) not in taken))
