"""What is asked of pictures, role by role."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field

from catalog_imagegen.config.files import Strict, overlaid, read_toml, unknown, validated
from catalog_imagegen.config.platforms import Name
from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.domain.gates import GateCode, Gates

Share = Annotated[float, Field(ge=0, le=1)]


class GateTable(Strict):
    """``[all]`` or ``[roles.NAME]``."""

    min_sharpness: float = Field(
        default=0.0,
        ge=0,
        description="Variance of the Laplacian that the sharpest spot must have; 0 lets all pass",
    )
    max_highlights: Share = Field(default=1.0, description="Share of pixels that may be pure white")
    max_shadows: Share = Field(default=1.0, description="Share of pixels that may be pure black")
    min_product: Share = Field(
        default=0.0,
        description="Longer side of the product, on an even background, as a share of the frame's; 0 looks for none",
    )
    max_touching: Share = Field(
        default=1.0, description="Share of the picture's edge that the product may cover"
    )
    max_likeness: int = Field(
        default=-1,
        ge=-1,
        le=128,
        description="Bits of 128 by which the picture of another product differs at most to be called the same; -1 "
        "compares none",
    )
    max_letters: int = Field(
        default=-1, ge=-1, description="Letters that may be read, with the extra `ocr`; -1 reads nothing"
    )
    min_fidelity: Share = Field(
        default=0.0,
        description="How like the product must be to the photo that a model was given; below, somebody has to look at it "
        "whatever the role's `approval`",
    )
    check_text: bool = Field(
        default=False,
        description="Whether the texts that a prompt has in quotation marks must be read, with the extra `ocr`",
    )


class GatesFile(Strict):
    """``gates.toml``."""

    all: GateTable = GateTable()
    roles: dict[Name, GateTable] = Field(default={})
    wordings: dict[GateCode, tuple[Annotated[str, Field(min_length=1)], ...]] = Field(default={})


KEYS = [name for model in (GatesFile, GateTable) for name in model.model_fields]


def load_gates(workspace: Workspace, roles: Collection[str] | None) -> Mapping[str, Gates]:
    """Role → what is asked of its pictures: the packaged gates, overlaid by the workspace's. Raises ConfigError.

    A name must be that of one of the *roles* or of a packaged one, unless the roles cannot be read (None).
    """
    path = workspace.root / "config" / "gates.toml"
    file = validated(GatesFile, overlaid(workspace, "config/gates.toml"), path, KEYS)
    known = dict.fromkeys([*(roles or ()), *read_toml(defaults() / "config" / "roles.toml")["roles"]])
    for name in file.roles if roles is not None else ():
        if name not in known:
            raise unknown("role", "图片角色", path, name, known)
    return {name: _gates(file, file.roles.get(name)) for name in known}


def _gates(file: GatesFile, table: GateTable | None) -> Gates:
    """What holds for all, but for what a role's table says."""
    own: Mapping[str, Any] = table.model_dump(exclude_unset=True) if table else {}
    return Gates(**{**file.all.model_dump(), **own}, wordings=file.wordings)
