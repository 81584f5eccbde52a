"""Stories of what was once wrong, lost or believed without proof; each is told again by `make found`."""
