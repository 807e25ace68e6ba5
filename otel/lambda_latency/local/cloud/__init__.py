"""The emulators of AWS's services, and what they lack."""
