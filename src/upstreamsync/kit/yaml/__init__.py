"""YAML: reading it as Kubernetes does, naming a value by its path, editing it in place."""
