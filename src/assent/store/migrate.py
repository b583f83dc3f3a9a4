"""Migration of a database to the newest schema; the revisions are packaged beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from assent.terms.errors import StoreNewer, StoreUnavailable

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from assent.store.link import Backend

#: The newest revision; a test compares it with the migrations folder.
HEAD = "0003"
VERSION_TABLE = "assent_version"
MIGRATIONS = Path(__file__).with_name("migrations")


def bring_up(backend: Backend, *, create: bool) -> None:
    """Make or migrate the schema where needed; a database that is up to date is only looked at.

    Raises `StoreNewer` for a revision this program does not know, `StoreUnavailable` when there is no schema and
    `create` is False. Both leave everything as it was.
    """
    version = backend.version()
    if version == HEAD:
        return
    if version is None and not create:
        raise StoreUnavailable(
            "There is no store in this database.",
            advice="Run `assent init` to make one, or name the right place with --store.",
        )
    _refuse_unknown(version)
    engine = backend.engine()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(backend.lock_statement())
            upgrade(connection)
            connection.commit()
    except SQLAlchemyError as error:
        raise StoreUnavailable(
            "The schema of the store could not be made or migrated; nothing was changed.",
            advice="Check the rights of this user and free disk space.",
        ) from error
    finally:
        engine.dispose()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` in the transaction that the caller began.

    Another process may have migrated while this one waited for the lock: then there is nothing left to do.
    """
    from alembic import command  # noqa: PLC0415 - only migrating needs it, and it takes long to import

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> list[str]:
    """Return the revisions this program knows, newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only migrating needs it

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - only migrating needs it

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_unknown(version: str | None) -> None:
    if version is not None and version not in revisions():
        raise StoreNewer(f"The store has schema {version}, which this version of assent does not know.")
