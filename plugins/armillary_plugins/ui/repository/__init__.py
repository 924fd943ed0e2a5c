"""Every query of the pages, each bounded."""
