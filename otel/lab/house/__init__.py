"""How easy the kit is to walk: its folders, imports, names and lines, and how many modules a trip enters."""
