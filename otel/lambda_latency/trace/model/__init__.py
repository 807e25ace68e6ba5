"""The model: spans as values, rows and signatures for judging, and the facts that both hold."""
