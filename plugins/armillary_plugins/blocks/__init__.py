"""Keeps blocks: types, their schemas, and documents whose secrets are encrypted.

A document is encrypted as a whole, with the first of the keys in `encryption_key`
(`ARMILLARY_ENCRYPTION_KEY`) or, where none is given, with one that is made when the first document
is kept, in a file beside the database. Without `include_secrets` a mask stands for what its schema
calls a secret. `armillary blocks rotate` encrypts everything anew under a new key. The types that
are part of the SDK are there in every workspace as soon as somebody asks for types.
"""

from armillary import Manifest

MANIFEST = Manifest(
    summary="Keeps blocks: types, their schemas, and documents whose secrets are encrypted."
)
