"""What a pull request says."""
