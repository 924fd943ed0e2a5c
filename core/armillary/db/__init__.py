"""The database: one writer, readers, units of work, migrations."""
