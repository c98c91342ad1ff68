"""Writes, one file per noun: `profile`, `sessions`, `applications`, `authorisations` and `closing`."""
