"""Shows in the browser what runs, what waits, and how the server is.

Pages are made by the server and can be read without JavaScript.  With it they are live: one
stream tells what has changed, and the parts of the page that show it are fetched anew.
"""

from armillary import Manifest
from armillary_plugins.ui.config import Config

MANIFEST = Manifest(
    summary="Shows in the browser what runs, what waits, and how the server is.",
    requires=("logs",),
    config=Config,
)
