"""What a newcomer sees first, through the real command line: at widths of terminals, and without one."""
