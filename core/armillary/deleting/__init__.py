"""What hangs below a deleted thing goes too: at once if it is little, else bit by bit, unseen.

::

    DELETE ──▶ one unit: the thing itself goes, with up to 1,000 rows below it, and its event
                 │ there is more
                 ├──▶ its id is noted as doomed: from this commit on no reader sees what is below
                 └──▶ a job of `server_background` deletes the rest, 500 rows a unit

Nobody lists what there is to delete: every table says what it belongs to
(:class:`armillary.db.tables.Belongs`), those of plugins as well, and from that follow the
deletes, what readers do not see meanwhile, and the search for orphans.
"""
