"""The plugins that ship with Armillary, one folder each."""
