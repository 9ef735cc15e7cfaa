import socket

from evidence import attempt

def algorithm(kind, name):
    with socket.socket(38, socket.SOCK_SEQPACKET, 0) as connection:
        connection.bind((kind, name))
        return "bound"

for kind, name in [("hash", "sha256"), ("skcipher", "cbc(aes)"), ("aead", "gcm(aes)"), ("rng", "stdrng")]:
    attempt(kind, lambda: algorithm(kind, name))
