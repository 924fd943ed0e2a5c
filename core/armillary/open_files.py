"""As many open files as the system lets this process have: every connection is one."""

from __future__ import annotations

import sys

if sys.platform == "win32":

    def allow_many() -> None:
        """Do nothing: there is no such limit."""

else:
    import contextlib
    import resource

    _ENOUGH = 65_536
    """Not without end: some systems make tables of this size."""

    def allow_many() -> None:
        """Raise the soft limit, which is often 1,024, towards the hard one."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        # Some systems have lower limits than they say; the old one stays then.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
