"""Runs that are killed at moments nobody chose; what is left must be what a run without trouble leaves."""
