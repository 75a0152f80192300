"""What a snippet with other plans tries first."""

import os
import socket

for attempt in (
    lambda: open("/etc/passwd").read(),
    lambda: os.listdir("/"),
    lambda: os.system("id"),
    lambda: socket.create_connection(("169.254.169.254", 80), timeout=2),
    lambda: socket.getaddrinfo("attacker.example", 443),
):
    try:
        print("got through:", attempt())
    except OSError as error:
        print("refused:", type(error).__name__, error)
print("environment:", dict(os.environ))
