"""As many open files as the system lets this process have: every connection is one."""

from __future__ import annotations

import sys

_ENOUGH = 65_536
"""Not without end: some systems make tables of this size."""

if sys.platform == "win32":

    def allow_many() -> int:
        """Return how many there may be; there is no such limit."""
        return _ENOUGH

else:
    import contextlib
    import resource

    def allow_many() -> int:
        """Raise the soft limit, often 1,024, towards the hard one; return what it is then."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
        if soft == resource.RLIM_INFINITY:
            return _ENOUGH
        if soft < wanted:
            # Some systems have lower limits than they say; the old one stays then.
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return wanted
        return soft
