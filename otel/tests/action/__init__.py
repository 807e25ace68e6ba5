"""The GitHub Action, run here: its steps as action.yml has them, GitHub's own programs replaced."""
