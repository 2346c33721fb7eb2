"""Kubernetes objects and Helm charts as data: names, values, differences, JSON patches."""
