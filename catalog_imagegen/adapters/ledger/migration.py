"""Brings a database to this version's tables; imported only when one is not there yet."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from catalog_imagegen.adapters.ledger.database import revision
from catalog_imagegen.domain.errors import ConfigError


def migrate(engine: Engine, where: str) -> None:
    """Bring a database to this version's tables. Raises ConfigError when it is ahead of them."""
    config = Config()
    config.set_main_option("script_location", str(resources.files(__package__) / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    at = revision(engine)
    if at is not None and at not in {script.revision for script in scripts.walk_revisions()}:
        raise ConfigError(
            f"{where}: this ledger was written by a newer catalog-imagegen (revision {at}); "
            "install that version or restore a backup",
            zh=f"{where}：该数据库由更新版本的 catalog-imagegen 写入（{at}）；请安装新版本或恢复备份",
            code="ledger_newer",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
