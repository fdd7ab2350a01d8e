"""Puts the parts together: the only package that names adapters."""

from catalog_imagegen.adapters.catalogs import Way
from catalog_imagegen.bootstrap.house import (
    House,
    init_workspace,
    open_house,
    read_source,
    recover,
    write_file,
)
from catalog_imagegen.bootstrap.servers import Fleet, Servers

__all__ = [
    "Fleet",
    "House",
    "Servers",
    "Way",
    "init_workspace",
    "open_house",
    "read_source",
    "recover",
    "write_file",
]
