"""Circuit files in; domain values, or complaints with file and line, out."""
