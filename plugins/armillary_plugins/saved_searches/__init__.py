"""Keeps the filters that people gave a name to.

A saved search is a name and a list of conditions; what they mean is the business of whoever saved
it. Saving under a name that is there replaces what it had.
"""

from armillary import Manifest

MANIFEST = Manifest(summary="Keeps the filters that people gave a name to.")
