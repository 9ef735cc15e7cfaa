#include "evidence.h"

int main(void) {
    char secret[512];
    control();
    host("secret_path", secret, sizeof secret);
    attempt("secret", open(secret, O_RDONLY));
    attempt("accounts", open("/etc/passwd", O_RDONLY));
    attempt("environment", open("/proc/1/environ", O_RDONLY));
    attempt("own_memory", open("/proc/self/mem", O_RDWR));
    attempt("settings", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    attempt("compiler", open("/usr/bin/gcc", O_WRONLY));
    attempt("library", open("/usr/lib/x86_64-linux-gnu/libc.so.6", O_WRONLY));
    attempt("header", open("/usr/include/stdio.h", O_WRONLY));
    attempt("new_file", open("/usr/lib/new", O_WRONLY | O_CREAT, 0644));
    attempt("runner", open("/promptcraft-runner", O_RDONLY));
    return 0;
}
