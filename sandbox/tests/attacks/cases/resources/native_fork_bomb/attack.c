#include "evidence.h"
#include <signal.h>

int main(void) {
    control();
    long started = 0, child;
    signal(SIGTERM, SIG_IGN);
    setsid();
    while (started < 5000 && (child = fork()) >= 0) {
        if (child == 0) {
            for (;;) fork();
        }
        started++;
    }
    attempt("bomb", started < 5000 ? -1 : started);
    return 3;
}
