"""Its import fails."""

print("importing", flush=True)
raise RuntimeError("no configuration")
