"""What keeps a cold start short: stand-ins for modules, constants, cheap values, known versions."""
