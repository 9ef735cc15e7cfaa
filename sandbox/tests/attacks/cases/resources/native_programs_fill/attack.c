#include "evidence.h"

int main(void) {
    control();
    static char block[1 << 16];
    long written = 0, count;
    int file = open("/programs/large", O_WRONLY | O_CREAT, 0700);
    while (written < 1L << 30 && (count = write(file, block, sizeof block)) > 0) written += count;
    attempt("bytes", written < 1L << 30 ? -1 : written);
    unlink("/programs/large");
    long made = 0;
    for (; made < 100000; made++) {
        char path[64];
        snprintf(path, sizeof path, "/programs/%ld", made);
        if ((file = open(path, O_WRONLY | O_CREAT, 0700)) < 0) break;
        close(file);
    }
    attempt("files", made < 100000 ? -1 : made);
    return 0;
}
