"""Creates the app's resources in the emulator."""
