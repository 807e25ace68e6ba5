"""The model: spans as values, rows and shapes for judging, and the facts that both hold."""
