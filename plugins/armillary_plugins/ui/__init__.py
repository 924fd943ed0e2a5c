"""Shows runs in the browser.

Pages are made by the server and can be read without JavaScript.  With it they are live: one
stream tells what has changed, and the parts of the page that show it are fetched anew.
"""

from armillary import Manifest
from armillary_plugins.ui.config import Config

MANIFEST = Manifest(summary="Shows runs in the browser.", requires=("logs",), config=Config)
