"""The reproduce command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import House, write_file
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, ConfigError
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.pipeline.prepare import pictures_of
from catalog_imagegen.pipeline.reproduce import Reproduced
from catalog_imagegen.pipeline.reproduce import reproduce as render_again


def reproduce(
    sku: Annotated[str, typer.Argument(help="The SKU.")],
    role: Annotated[str, typer.Option("--role", "-r", help="Which of its pictures.")] = "",
    slot: Annotated[int | None, typer.Option("--slot", min=1, help="Its position in the role.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the picture here.", show_default=False)
    ] = None,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Render a picture again from what was recorded of it, and say whether it is the same.

    Row, templates and workflow may have changed since: what was sent then is sent again. Nothing is recorded.

    Example: `catalog-imagegen reproduce EB-001 --role main --to again.png`
    """
    with options.house(workspace, options.servers(comfyui, simulate=simulate)) as house:
        services = house.services
        found = render_again(
            _listed(sku, role, slot, house),
            ledger=services.ledger,
            blobs=services.blobs,
            backends=house.fleet.all(),
        )
    if to is not None:
        write_file(to, found.content)
    _show(found, to, as_json=json)
    raise typer.Exit(EXIT_OK if found.is_same else EXIT_ITEMS_FAILED)


def _listed(sku: str, role: str, slot: int | None, house: House) -> Render:
    """The picture that a listing shows. Raises ConfigError if there is none, or more than one is meant."""
    keys = set(pictures_of(sku, role=role, slot=slot, services=house.services))
    pictures = [p for p in house.services.ledger.pictures({key.subject for key in keys}) if p.key in keys]
    if len(pictures) > 1:
        names = ", ".join(f"--role {p.key.role} --slot {p.slot}" for p in pictures)
        raise ConfigError(
            f"{sku} has {len(pictures)} such pictures; name one: {names}",
            zh=f"{sku} 有 {len(pictures)} 张这样的图片；请指定其中一张：{names}",
            code="which_picture",
        )
    render = pictures[0].listed or pictures[0].render
    if render is None:
        raise ConfigError(
            f"{sku} {pictures[0].key.role} {pictures[0].slot} was never made; see: catalog-imagegen status {sku}",
            zh=f"{sku} 的 {pictures[0].key.role} {pictures[0].slot} 尚未生成；请运行 catalog-imagegen status {sku} 查看",
            code="never_made",
        )
    return render


def _show(found: Reproduced, to: Path | None, *, as_json: bool) -> None:
    if as_json:
        show.as_json(
            {
                "render_key": found.original.render_key,
                "original": found.original.digest,
                "prompt_id": found.attempt.prompt_id,
                "made_on": found.attempt.server,
                "reproduced_on": found.server,
                "bytes": len(found.content),
                "is_same": found.is_same,
                "file": str(to) if to else None,
            }
        )
        return
    tr = show.words().tr
    if found.is_same:
        text = tr("The same picture, byte for byte, rendered on {server}.", server=found.server)
        show.out.print(Text(text, style="green"), soft_wrap=True)
    else:
        text = tr(
            "Another picture came of the same request: made on {first}, now on {second}. "
            "The servers differ in their version, their models or their graphics card.",
            first=found.attempt.server,
            second=found.server,
        )
        show.out.print(Text(text, style="yellow"), soft_wrap=True)
    if to is not None:
        show.out.print(Text.assemble(tr("Written:"), " ", (str(to), "bold")), soft_wrap=True)
