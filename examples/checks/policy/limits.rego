package main

import rego.v1

deny contains message if {
  input.kind == "Deployment"
  container := input.spec.template.spec.containers[_]
  not container.resources.limits.memory
  message := sprintf("%s: container %s has no memory limit", [input.metadata.name, container.name])
}
