"""Drop folders, for the command that watches them."""

from catalog_imagegen.adapters.drop_folder import DropFolder, Dropped, Outcome
from catalog_imagegen.bootstrap.house import write_file

__all__ = ["DropFolder", "Dropped", "Outcome", "write_file"]
