# Prints the manifest of version $1.
cat <<END
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector:
    matchLabels: {app: app}
  template:
    metadata:
      labels: {app: app}
    spec:
      containers:
        - name: server
          image: example.com/app:$1
          resources:
            limits: {memory: 64Mi}
END
