"""Fixtures that tests of every domain use."""
