import socket
import urllib.request

from evidence import attempt

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for name, url in {"aws": "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "gcp": "http://metadata.google.internal/",
                  "azure": "http://169.254.169.254/metadata/instance?api-version=2021-02-01", "ecs": "http://169.254.170.2/v2/credentials",
                  "alibaba": "http://100.100.100.200/latest/meta-data/", "aws6": "http://[fd00:ec2::254]/latest/meta-data/"}.items():
    attempt(name, lambda: opener.open(url, timeout=2).read(50))
