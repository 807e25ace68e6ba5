"""How fast the report is on traces of every kind, against `json.loads` of the same bytes."""
