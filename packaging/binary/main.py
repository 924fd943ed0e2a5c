"""What the binary runs: the command line; a double click starts it, or shows what runs already."""

import os
import sys

from armillary.cli import main


def leave_no_trace() -> None:
    """Give programs the environment that this one was given, before the loader added to it.

    With our libraries on its path, another Python would load them in place of its own.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]


if __name__ == "__main__":
    leave_no_trace()
    sys.exit(main(sys.argv[1:] or ["start", "--or-open"]))
