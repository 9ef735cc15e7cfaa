import socket
import struct

from evidence import attempt

def open_netlink(protocol):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as connection:
        connection.bind((0, 0))
        return "open"

for name, protocol in {"route": 0, "usersock": 2, "firewall": 3, "sock_diag": 4, "xfrm": 6, "audit": 9, "netfilter": 12,
                       "kobject_uevent": 15, "generic": 16, "crypto": 21}.items():
    attempt(name, lambda: open_netlink(protocol))
attempt("interfaces", lambda: socket.if_nameindex())
