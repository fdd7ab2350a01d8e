"""The entry point: exit codes and error messages for every command."""

from __future__ import annotations

import logging
import sys
import traceback

from typer.main import get_command

from catalog_imagegen.cli import app
from catalog_imagegen.cli.help import translate
from catalog_imagegen.cli.show import complain, speak, words
from catalog_imagegen.domain.errors import EXIT_BUG, CatalogImagegenError
from catalog_imagegen.language import spoken_here


def main() -> None:
    """Run a command. Exit codes: 0 good, 1 some items failed, 2 mend input, 75 try later, 70 a bug."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    try:
        speak(spoken_here())
        command = get_command(app)
        translate(command, words())
        command(prog_name="catalog-imagegen")
    except CatalogImagegenError as error:
        complain(error)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - the last resort of an entry point
        traceback.print_exc()
        sys.exit(EXIT_BUG)


if __name__ == "__main__":
    main()
