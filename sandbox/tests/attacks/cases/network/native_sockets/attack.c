#include "evidence.h"
#include <sys/socket.h>

int main(void) {
    control();
    attempt("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    attempt("packet", socket(AF_PACKET, SOCK_RAW, 0));
    attempt("raw", socket(AF_INET, SOCK_RAW, 1));
    attempt("ping", socket(AF_INET, SOCK_DGRAM, 1));
    attempt("machine", socket(AF_VSOCK, SOCK_STREAM, 0));
    attempt("crypto", socket(AF_ALG, SOCK_SEQPACKET, 0));
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) say("BROKEN", "unix", strerrorname_np(errno));
    return 0;
}
