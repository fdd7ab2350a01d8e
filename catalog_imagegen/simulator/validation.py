"""Judges a posted graph as ComfyUI does, down to the shape of each error."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_imagegen.simulator.nodes import Graph, NodeClass
from catalog_imagegen.simulator.versions import Version

ANY_TYPE = {"COMBO", "COMFY_DYNAMICCOMBO_V3", "COMFY_MATCHTYPE_V3", "*"}
LISTED_CHOICES = 20  # longer lists of choices are not spelled out in the error


@dataclass
class Verdict:
    """What became of a graph: the outputs that may run, or the error that refuses it all."""

    outputs: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    node_errors: dict[str, Any] = field(default_factory=dict)


def refusal(
    kind: str, message: str, details: str = "", extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Shape one error, of a whole prompt or of a node's input."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra or {}}


def judge(
    graph: Graph,
    classes: Mapping[str, NodeClass],
    version: Version,
    *,
    image_exists: Callable[[str], bool],
    targets: Collection[str] | None = None,
) -> Verdict:
    """Validate *graph*; numbers given as text are converted in place, as the real server does.

    Raises TypeError for what makes the real server fail with a plain 500 (a node that is no object).
    """
    for node_id, node in graph.items():
        problem = _class_problem(node_id, node, classes, version)
        if problem:
            return Verdict(error=problem)
    outputs = [
        node_id
        for node_id, node in graph.items()
        if classes[node["class_type"]].output_node and (targets is None or node_id in targets)
    ]
    if not outputs:
        return Verdict(error=refusal("prompt_no_outputs", "Prompt has no outputs"))
    return _Judge(graph, classes, version, image_exists).verdict(outputs)


def _class_problem(
    node_id: str, node: Any, classes: Mapping[str, NodeClass], version: Version
) -> dict[str, Any] | None:
    if not version.names_missing_class:
        return _old_class_problem(node_id, node, classes)
    if not isinstance(node, dict):
        raise TypeError(f"node {node_id} is no object; post the API format, not the editor's")
    name = node.get("class_type")
    if name in classes:
        return None
    title = node.get("_meta", {}).get("title", name)
    message = (
        f"Node 'ID #{node_id}' has no class_type. The workflow may be corrupted or a custom node is missing."
        if name is None
        else f"Node '{title}' not found. The custom node may not be installed."
    )
    extra = {"node_id": node_id, "class_type": name, "node_title": title}
    return refusal("missing_node_type", message, f"Node ID '#{node_id}'", extra)


def _old_class_problem(node_id: str, node: Any, classes: Mapping[str, NodeClass]) -> dict[str, Any] | None:
    if "class_type" not in node:  # true of the editor's lists and numbers too, but for the latter's TypeError
        message = "Cannot execute because a node is missing the class_type property."
    elif node["class_type"] not in classes:
        message = f"Cannot execute because node {node['class_type']} does not exist."
    else:
        return None
    return refusal("invalid_prompt", message, f"Node ID '#{node_id}'")


class _Judge:
    """One validation of one graph; remembers each node's errors so that none is judged twice."""

    def __init__(
        self,
        graph: Graph,
        classes: Mapping[str, NodeClass],
        version: Version,
        image_exists: Callable[[str], bool],
    ) -> None:
        self.graph = graph
        self.classes = classes
        self.version = version
        self.image_exists = image_exists
        self.valid: dict[str, bool] = {}
        self.errors: dict[str, list[dict[str, Any]]] = {}
        self.path: list[str] = []

    def verdict(self, outputs: list[str]) -> Verdict:
        good: list[str] = []
        details: list[str] = []
        node_errors: dict[str, Any] = {}
        for output in outputs:
            self.path = []
            try:
                passed = self._node(output)
            except (KeyError, IndexError, TypeError) as exception:
                passed = False
                self._note(output, _crash(exception, "exception_during_validation"))
            if passed:
                good.append(output)
                continue
            details += [f"{error['message']}: {error['details']}" for error in self.errors.get(output, [])]
            for node_id, errors in self.errors.items():
                entry = node_errors.setdefault(
                    node_id,
                    {
                        "errors": errors,
                        "dependent_outputs": [],
                        "class_type": self.graph[node_id]["class_type"],
                    },
                )
                if node_id == output or self._reaches(output, node_id):
                    entry["dependent_outputs"].append(output)
        if good:
            return Verdict(good, None, node_errors)
        error = refusal(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", "\n".join(details)
        )
        return Verdict([], error, node_errors)

    def _note(self, node_id: str, error: dict[str, Any]) -> None:
        self.valid[node_id] = False
        self.errors.setdefault(node_id, []).append(error)

    def _reaches(self, output: str, node_id: str) -> bool:
        seen, waiting = set(), [output]
        while waiting:
            here = waiting.pop()
            if here == node_id:
                return True
            if here in seen or here not in self.graph:
                continue
            seen.add(here)
            values = self.graph[here].get("inputs", {}).values()
            waiting += [str(value[0]) for value in values if isinstance(value, list) and value]
        return False

    def _node(self, node_id: str) -> bool:
        if node_id in self.path:
            if not self.version.sees_cycles:  # it ends in a RecursionError that is told to nobody
                return False
            cycle = self.path[self.path.index(node_id) :]
            names = [f"{each} ({self.graph[each]['class_type']})" for each in [*cycle, node_id]]
            extra = {"node_id": node_id, "cycle_nodes": cycle}
            cycle_error = refusal("dependency_cycle", "Dependency cycle detected", " -> ".join(names), extra)
            self._note(node_id, cycle_error)
            return False
        if node_id in self.valid:
            return self.valid[node_id]
        self.path.append(node_id)
        node = self.graph[node_id]
        inputs = node["inputs"]
        spec = self.classes[node["class_type"]]
        passed = True
        for name, declared in _declared(spec, inputs).items():
            if name not in inputs:
                if name not in spec.optional:
                    self._note(
                        node_id,
                        refusal(
                            "required_input_missing", "Required input is missing", name, {"input_name": name}
                        ),
                    )
                    passed = False
            elif isinstance(inputs[name], list):
                passed = self._link(node_id, name, declared) and passed
            else:
                passed = self._value(node_id, name, declared) and passed
        self.path.pop()
        self.valid[node_id] = passed and node_id not in self.errors
        return self.valid[node_id]

    def _link(self, node_id: str, name: str, declared: list[Any]) -> bool:
        link = self.graph[node_id]["inputs"][name]
        extra = {"input_name": name, "input_config": declared, "received_value": link}
        if len(link) != 2:  # noqa: PLR2004 -- a link is a node id and the number of its output
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            self._note(node_id, refusal("bad_linked_input", message, name, extra))
            return False
        source, slot = link
        received = tuple(self.classes[self.graph[source]["class_type"]].output)[slot]
        wanted = "COMBO" if isinstance(declared[0], list) else declared[0]
        if received != wanted and not {received, wanted} & ANY_TYPE:
            details = f"{name}, received_type({received}) mismatch input_type({wanted})"
            extra = {
                "input_name": name,
                "input_config": declared,
                "received_type": received,
                "linked_node": link,
            }
            message = "Return type mismatch between linked nodes"
            self._note(node_id, refusal("return_type_mismatch", message, details, extra))
            return False
        depth = len(self.path)
        try:
            return self._node(source)
        except (KeyError, IndexError, TypeError) as exception:
            del self.path[depth:]
            error = _crash(exception, "exception_during_inner_validation")
            error["extra_info"] |= {"input_name": name, "input_config": declared, "linked_node": link}
            self._note(source, error)
            return False

    def _value(self, node_id: str, name: str, declared: list[Any]) -> bool:
        node = self.graph[node_id]
        error = (
            self._image_problem(name, node["inputs"][name])
            if node["class_type"] == "LoadImage"
            else _value_problem(node["inputs"], name, declared)
        )
        if error:
            self._note(node_id, error)
        return error is None

    def _image_problem(self, name: str, value: Any) -> dict[str, Any] | None:
        if self.image_exists(str(value)):
            return None
        details = f"{name} - Invalid image file: {value}"
        message = "Custom validation failed for node"
        return refusal("custom_validation_failed", message, details, {"input_name": name})


def _declared(spec: NodeClass, inputs: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Give all declared inputs, with those a chosen option of a dynamic combo brings along."""
    declared = {**spec.required, **spec.optional}
    declared = {name: [kind, *(config or [{}])] for name, (kind, *config) in declared.items()}
    for name, (kind, *config) in list(declared.items()):
        if kind != "COMFY_DYNAMICCOMBO_V3":
            continue
        for option in config[0]["options"]:
            if option["key"] == inputs.get(name):
                more = option["inputs"]["required"]
                declared |= {f"{name}.{inner}": declaration for inner, declaration in more.items()}
    return declared


def _crash(exception: Exception, kind: str) -> dict[str, Any]:
    message = {
        "exception_during_validation": "Exception when validating node",
        "exception_during_inner_validation": "Exception when validating inner node",
    }[kind]
    extra = {"exception_type": type(exception).__name__, "traceback": ["(simulated)"]}
    return refusal(kind, message, str(exception), extra)


def _choices(declared: list[Any]) -> list[str] | None:
    kind, *config = declared
    if isinstance(kind, list):
        return kind
    if kind == "COMBO":
        return list(config[0]["options"])
    if kind == "COMFY_DYNAMICCOMBO_V3":
        return [option["key"] for option in config[0]["options"]]
    return None


def _value_problem(inputs: dict[str, Any], name: str, declared: list[Any]) -> dict[str, Any] | None:
    """Convert and check a plain value, in the order the real server does."""
    value = inputs[name]
    extra = {"input_name": name, "input_config": declared, "received_value": value}
    choices = _choices(declared)
    if choices is not None:
        if value in choices:
            return None
        listed = str(choices)
        if len(choices) > LISTED_CHOICES:
            listed, extra["input_config"] = f"(list of length {len(choices)})", None
        return refusal("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {listed}", extra)
    kind, config = declared[0], declared[1] if len(declared) > 1 else {}
    convert = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}.get(kind)
    if convert is None:  # a link given as text passes here and fails when it runs
        return None
    try:
        value = inputs[name] = convert(value)
    except (TypeError, ValueError, OverflowError) as problem:
        message = f"Failed to convert an input value to a {kind} value"
        extra["exception_message"] = str(problem)
        return refusal("invalid_input_type", message, f"{name}, {value}, {problem}", extra)
    return _range_problem(value, name, config, extra | {"received_value": value})


def _range_problem(
    value: Any, name: str, config: Mapping[str, Any], extra: dict[str, Any]
) -> dict[str, Any] | None:
    low, high = config.get("min"), config.get("max")
    if low is not None and value < low:
        return refusal("value_smaller_than_min", f"Value {value} smaller than min of {low}", name, extra)
    if high is not None and value > high:
        return refusal("value_bigger_than_max", f"Value {value} bigger than max of {high}", name, extra)
    return None
