"""Lambda's emulator: functions, their execution environments, the Runtime API."""
