"""Counts the moments it was awake.

Every `interval` seconds it adds one to a number it keeps.  Replace this by what your plugin does.
"""

from armillary import Manifest
from armillary_plugins.example.config import Config

MANIFEST = Manifest(summary="Counts the moments it was awake.", config=Config)
