"""What one test writes into its PostgreSQL database, the next does not find."""

from tests import copies, servers


def test_a_database_given_back_holds_what_it_held_when_new(
    postgres: servers.Postgres, migrated_postgres: copies.Copies
) -> None:
    name = migrated_postgres.take()
    new = postgres.contents(name)
    postgres.execute(
        "delete from workspace; insert into service_turn values ('guest', 1);"
        " insert into outbox (topic, workspace, event_id, body) values ('a', 1, 'b', '{}')",
        database=name,
    )
    assert postgres.contents(name) != new
    migrated_postgres.give_back(name)
    assert migrated_postgres.take() == name
    assert postgres.contents(name) == new
    migrated_postgres.give_back(name)


def test_a_database_whose_tables_were_changed_is_not_used_again(
    postgres: servers.Postgres, migrated_postgres: copies.Copies
) -> None:
    name = migrated_postgres.take()
    postgres.execute("create table guest (id int)", database=name)
    migrated_postgres.give_back(name)
    assert postgres.execute(f"select 1 from pg_database where datname = '{name}'") == ""
