"""upstreamsync keeps vendored Kubernetes manifests up to date, and proves that local patches still work."""
