#include "evidence.h"
#include <sys/socket.h>

int main(void) {
    control();
    attempt("inet", socket(AF_INET, SOCK_STREAM, 0));
    attempt("inet6", socket(AF_INET6, SOCK_STREAM, 0));
    attempt("datagram", socket(AF_INET, SOCK_DGRAM, 0));
    int pair[2];
    attempt("pair", socketpair(AF_INET, SOCK_STREAM, 0, pair));
    return 0;
}
