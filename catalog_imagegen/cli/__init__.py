"""Commands: parse, make one call into the pipeline, show what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog_imagegen import __version__
from catalog_imagegen.cli import (
    catalog,
    doctor,
    export,
    jobs,
    labels,
    listing,
    make,
    platforms,
    report,
    reproduce,
    review,
    show,
    simulator,
    status,
    watch,
    workflow,
)

app = typer.Typer(
    help="Product catalogs in, marketplace pictures out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - the callback of a flag
    if value:
        show.out.print(f"catalog-imagegen {__version__}")
        raise typer.Exit


@app.callback()
def main(
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Product catalogs in, marketplace pictures out."""


app.command()(catalog.init)
app.command()(make.run)
app.command()(make.plan)
app.add_typer(catalog.group, name="catalog")
app.command()(status.status)
app.command()(platforms.platforms)
app.command()(make.regenerate)
app.command()(make.retry)
app.command()(make.sync)
app.command()(watch.watch)
app.add_typer(jobs.group, name="jobs")
app.command()(reproduce.reproduce)
app.add_typer(review.group, name="review")
app.add_typer(listing.group, name="listing")
app.add_typer(labels.group, name="labels")
app.command()(export.export)
app.command()(report.report)
app.command()(doctor.doctor)
app.add_typer(workflow.group, name="workflow")
app.command()(simulator.simulator)
