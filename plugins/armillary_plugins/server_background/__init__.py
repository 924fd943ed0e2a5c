"""Does what a request left for later: deletes what hangs below deleted things.

A flow, flow run, deployment, work pool or work queue that is deleted is gone with the answer, and
with it, if it is little, all that hangs below it.  The rest is seen no more and deleted here, a
bounded number of rows at a time.
"""

from armillary import Manifest

MANIFEST = Manifest(
    summary="Does what a request left for later: deletes what hangs below deleted things.",
)
