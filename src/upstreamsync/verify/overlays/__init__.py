"""What stands on a base: kustomizations, the customizations in them, and their places."""
