"""Tells which kinds of workers there are and what their pools start with."""

from armillary import Manifest

MANIFEST = Manifest(
    summary="Tells which kinds of workers there are and what their pools start with."
)
