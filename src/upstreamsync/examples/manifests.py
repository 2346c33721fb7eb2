"""The manifests of the example upstreams, as their projects would write them."""

from __future__ import annotations

from collections.abc import Sequence


def deployment(
    name: str,
    image: str,
    *,
    container: str | None = None,
    args: Sequence[str] = (),
    sidecar: str | None = None,
    memory: str = "64Mi",
) -> str:
    """A Deployment; ``sidecar`` is the image of a container that stands before the main one."""
    first = ""
    if sidecar:
        limits = "          resources:\n            limits:\n              memory: 16Mi\n"
        first = f"        - name: agent\n          image: {sidecar}\n{limits}"
    arguments = "".join(f"            - {argument}\n" for argument in args)
    shown_args = f"          args:\n{arguments}" if arguments else ""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      containers:
{first}        - name: {container or name}
          image: {image}
{shown_args}          ports:
            - name: http
              containerPort: 8080
          resources:
            limits:
              memory: {memory}   # enough for a small cluster
"""


def service(name: str, port: int = 80) -> str:
    """A Service before the Deployment of the same name."""
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: {port}
      targetPort: http
"""


def config_map(name: str, **data: str) -> str:
    """A ConfigMap."""
    lines = "".join(f'  {key}: "{value}"\n' for key, value in sorted(data.items()))
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{lines}"


def stream(*documents: str) -> str:
    """Several documents as one file."""
    return "---\n".join(documents)


def chart(name: str, container: str) -> dict[str, str]:
    """The files of a chart with one Deployment and one Service."""
    templated = deployment(
        "{{ .Release.Name }}", "{{ .Values.image }}:{{ .Chart.AppVersion }}", container=container
    )
    return {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.0.0\n",
        "values.yaml": f"image: ghcr.io/example/{name}\nreplicas: 1\nservice:\n  port: 80\n",
        "templates/deployment.yaml": templated.replace("replicas: 1", "replicas: {{ .Values.replicas }}"),
        "templates/service.yaml": service("{{ .Release.Name }}").replace(
            "port: 80", "port: {{ .Values.service.port }}"
        ),
    }


def page_html(title: str, manifest: str) -> str:
    """A documentation page with an installation section and another one."""
    escaped = manifest.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"""\
<!doctype html>
<html><head><title>{title}</title></head><body>
<h1>{title}</h1>
<h2 id="install">Installation</h2>
<p>Apply this manifest:</p>
<pre><code class="language-yaml">{escaped}</code></pre>
<h2 id="use">Use</h2>
<pre><code class="language-sh">kubectl get pods</code></pre>
</body></html>
"""


def page_markdown(title: str, manifest: str) -> str:
    """The same kind of page in Markdown, the manifest inside a list item."""
    indented = "".join(f"   {line}" if line.strip() else line for line in manifest.splitlines(keepends=True))
    return f"""\
# {title}

## Installation

1. Write this to a file and apply it:

   ```yaml
{indented}   ```

2. Watch it start: `kubectl get pods`.

## Removal

```sh
kubectl delete deployment signpost
```
"""
