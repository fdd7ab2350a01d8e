"""Where everything lies: a shop's folder, and the packaged defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog_imagegen.domain.errors import ConfigError

COPIED = {
    "config/workspace.md": "README.md",
    "config/app.toml": "config/app.toml",
    "config/roles.toml": "config/roles.toml",
    "config/workflows": "config/workflows",
    "prompt_templates": "prompt_templates",
    "sample_catalog": "sample_catalog",
}
"""What ``init`` copies, and where to: an upgrade must not change anybody's prompts. The rest is overlaid."""


def defaults() -> Path:
    """The folder with the packaged ``config``, ``prompt_templates`` and ``sample_catalog``.

    In a wheel they lie inside the package, in an editable checkout at its top.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "packaged", package.parent):
        if (folder / "config" / "roles.toml").is_file():
            return folder
    raise ConfigError(
        f"{package}: the packaged defaults are missing; install catalog-imagegen again",
        zh=f"{package}：缺少内置默认文件；请重新安装 catalog-imagegen",
        code="defaults_missing",
    )


@dataclass(frozen=True, slots=True)
class Workspace:
    """One shop's folder. With *is_simulated* its state is kept apart, so placeholders never mix in."""

    root: Path
    is_simulated: bool = False
    out: Path | None = None
    """Where listings go instead of the workspace's own folder."""

    @property
    def data(self) -> Path:
        """Where the ledger and the blobs are."""
        return self.root / "data" / "simulated" if self.is_simulated else self.root / "data"

    @property
    def output(self) -> Path:
        """Where the listing folders are."""
        return self.out or self.root / ("output-simulated" if self.is_simulated else "output")

    def own_or_packaged(self, name: str) -> Path:
        """A file or folder of the workspace, or the packaged one where it has none."""
        own = self.root / name
        return own if own.exists() else defaults() / name

    def check(self) -> None:
        """Raises ConfigError unless this is a workspace."""
        if not (self.root / "config").is_dir():
            raise ConfigError(
                f"{self.root} is no workspace (it has no config folder); make one with "
                "catalog-imagegen init DIR, or name one with --workspace DIR",
                zh=f"{self.root} 不是工作区（没有 config 文件夹）；请先运行 catalog-imagegen init DIR，"
                "或用 --workspace DIR 指定",
                code="no_workspace",
            )
