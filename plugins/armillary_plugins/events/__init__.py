"""Takes events in and finds stored ones again.

Events that clients send are durable when they are answered.  What is stored is found by time,
name, resource, related resource and text, a page at a time; the same filter decides about live
events in memory.
"""

from armillary import Manifest

MANIFEST = Manifest(summary="Takes events in and finds stored ones again.")
