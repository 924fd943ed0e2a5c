"""Databases with every table and nothing in them, used again instead of made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers import Postgres

# Whoever is still connected would hold locks; what is in the catalog tells tables that a test made.
_ALONE = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
_CATALOG = """
select md5(string_agg(c.oid::regclass::text || c.relnatts, ',' order by c.oid::regclass::text))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
_TABLES = "select string_agg(format('%I', tablename), ',') from pg_tables where schemaname='public'"


class Copies:
    """Copies of one migrated database of a server.

    To copy a database takes PostgreSQL some 150 ms, to empty one 20: what a test gives back is
    emptied for the next, unless the test changed what tables there are.
    """

    def __init__(self, server: Postgres, like: str) -> None:
        self._server = server
        self._like = like
        self._clean: list[str] = []
        self._pristine = self._ask(like, _CATALOG)
        emptied = "".join(
            f"delete from {table};" for table in self._ask(like, _TABLES).strip().split(",")
        )
        self._emptying = emptied + server.contents(like)

    def take(self) -> str:
        """The name of a database that is as it was when migrated."""
        return self._clean.pop() if self._clean else self._server.create_database(self._like)

    def give_back(self, name: str) -> None:
        """Empty a database for the next who asks; one with other tables is dropped."""
        try:
            found = self._ask(name, f"{_ALONE};{_CATALOG};{self._emptying}")
        except RuntimeError:
            if self._ask(name, _CATALOG) == self._pristine:
                raise
            found = ""
        if self._pristine.strip() in found.split():
            self._clean.append(name)
        else:
            self._server.drop_database(name)

    def _ask(self, name: str, statements: str) -> str:
        return self._server.execute(statements, database=name)
