"""Public apps, whose answers are known from their code: are they answered here as their code says?"""
