"""HTTP: the client and its rules on addresses and credentials, and the OCI registries that speak it."""
