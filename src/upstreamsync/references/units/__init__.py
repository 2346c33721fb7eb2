"""What controllers build, as the kustomization that would build the same, so that one judge judges all.

An Application of Argo CD, a HelmRelease or a Kustomization of Flux, a chart's dependency and a release of
helmfile each name something upstream and say what is to be different about it. Each becomes a kustomization
that is in no file, with the place in the user's file for everything that is judged of it.
"""
