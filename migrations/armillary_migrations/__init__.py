"""The steps that build and change the tables, one folder per owner."""
