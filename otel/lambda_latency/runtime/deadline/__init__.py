"""The deadline: open spans and stacks are recorded shortly before Lambda kills the environment."""
