"""The core of Armillary: everything a plugin needs is imported from here."""
