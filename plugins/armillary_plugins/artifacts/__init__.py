"""Keeps what runs show people: links, tables, texts, progress and images.

An artifact belongs to the flow run and the task run it was made in, and goes with them.  Those
with the same key form a collection, whose latest is the one made last; when that is deleted, it
is the one made before.  Every `interval` seconds some artifacts are looked at: those that came
after their flow run was deleted are deleted too.
"""

from armillary import Manifest
from armillary_plugins.artifacts.config import Config

MANIFEST = Manifest(
    summary="Keeps what runs show people: links, tables, texts, progress and images.",
    config=Config,
)
