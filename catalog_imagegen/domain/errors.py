"""Errors by blast radius; each ends with what to do, and carries its exit code."""

from __future__ import annotations

from typing import Any

EXIT_OK = 0
EXIT_ITEMS_FAILED = 1
EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_TRY_LATER = 75


class CatalogImagegenError(Exception):
    """What the user can do something about: a message, its remedy, in English and in Chinese."""

    exit_code = EXIT_BUG

    def __init__(self, message_en: str, *, zh: str = "", code: str = "") -> None:
        super().__init__(message_en)
        self.message_en = message_en
        self.message_zh = zh or message_en
        self.code = code or type(self).__name__

    def __reduce__(self) -> Any:
        return _revived, (type(self), self.args, dict(self.__dict__))

    def __str__(self) -> str:
        if self.message_zh == self.message_en:
            return self.message_en
        return f"{self.message_en}\n{self.message_zh}"


def _revived(kind: type[CatalogImagegenError], args: tuple[Any, ...], told: dict[str, Any]) -> Any:
    """An error as another process raised it, whatever its class wants to be made of."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(told)
    return error


class ConfigError(CatalogImagegenError):
    """Stops the run: something the user configured or typed must change first."""

    exit_code = EXIT_USAGE


class CatalogError(ConfigError):
    """The catalog as a whole cannot be read; single rows are reported as issues instead."""


class SourceUnreachable(CatalogError):
    """A database does not answer just now."""

    exit_code = EXIT_TRY_LATER


class ItemError(CatalogImagegenError):
    """Stops one row or one picture; the run goes on."""

    exit_code = EXIT_ITEMS_FAILED


class PhotoError(ItemError):
    """A product's photo cannot be used."""


class BackendUnavailable(CatalogImagegenError):
    """Nobody can render just now; pictures stay planned and a later run goes on."""

    exit_code = EXIT_TRY_LATER


class LedgerBusy(CatalogImagegenError):
    """Other processes hold the ledger; nothing is lost, and a later run goes on."""

    exit_code = EXIT_TRY_LATER


class LedgerUnreachable(CatalogImagegenError):
    """The ledger's server does not answer, or has lost sight of us; a later run goes on."""

    exit_code = EXIT_TRY_LATER


class StorageFull(CatalogImagegenError):
    """A disk is full; nothing half-written is left, and a later run goes on."""

    exit_code = EXIT_TRY_LATER
