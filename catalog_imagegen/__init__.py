"""Product catalogs in, marketplace pictures out."""

__version__ = "0.1.0"
