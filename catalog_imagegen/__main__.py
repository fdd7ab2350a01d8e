"""The entry point: exit codes and error messages for every command."""

from __future__ import annotations

import gc
import logging
import sys
import traceback

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run a command. Exit codes: 0 good, 1 some items failed, 2 mend input, 75 try later, 70 a bug, 130 Ctrl-C."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    try:
        _run()
    except KeyboardInterrupt:  # before or after the work; during it the command itself says what was kept
        sys.exit(EXIT_INTERRUPTED)


def _run() -> None:
    gc.disable()  # what is loaded stays, and searching it for garbage takes a fifth of the time
    from typer.main import get_command  # noqa: PLC0415 - so that Ctrl-C during these imports ends kindly too

    from catalog_imagegen.cli import app  # noqa: PLC0415 - the same
    from catalog_imagegen.cli.help import translate  # noqa: PLC0415 - the same
    from catalog_imagegen.cli.show import complain, speak, words  # noqa: PLC0415 - the same
    from catalog_imagegen.domain.errors import EXIT_BUG, CatalogImagegenError  # noqa: PLC0415 - the same
    from catalog_imagegen.language import spoken_here  # noqa: PLC0415 - the same

    gc.freeze()
    gc.enable()
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
    finally:
        gc.freeze()  # else the interpreter searches all of it once more before it ends: half a second


if __name__ == "__main__":
    main()
