/* Shared by the attacks in C; see evidence.py. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char known[65536];

static void say(const char *word, const char *name, const char *what) {
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s %s\n", word, name, what);
    if (write(1, line, length) != length) _exit(9);
}

/* Reports a call that returns a negative number if it was refused. */
static long attempt(const char *name, long result) {
    char what[32];
    if (result < 0) {
        say("BLOCKED", name, strerrorname_np(errno));
    } else {
        snprintf(what, sizeof what, "%ld", result);
        say("ESCAPED", name, what);
    }
    return result;
}

/* Copies the text of a key of host.json. */
static void host(const char *key, char *value, size_t size) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
    char *start = strstr(known, pattern);
    if (!start) { say("BROKEN", key, "is not known"); _exit(9); }
    start += strlen(pattern);
    snprintf(value, size, "%.*s", (int)strcspn(start, "\""), start);
}

static long copy(const char *from, const char *to, mode_t mode) {
    char block[65536];
    long count;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (in < 0 || out < 0) return -1;
    while ((count = read(in, block, sizeof block)) > 0)
        if (write(out, block, count) != count) return -1;
    close(in);
    close(out);
    return chmod(to, mode);
}

/* Executes a program in a child; returns -1 with its error, or its exit code. */
static long start(char *const words[]) {
    int status, error = 0, pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        execv(words[0], words);
        if (write(pipes[1], &errno, sizeof errno) < 0) _exit(9);
        _exit(127);
    }
    close(pipes[1]);
    long count = read(pipes[0], &error, sizeof error);
    close(pipes[0]);
    waitpid(child, &status, 0);
    if (count > 0) { errno = error; return -1; }
    if (WIFSIGNALED(status)) { errno = EINTR; return -1; }
    return WEXITSTATUS(status);
}

static void control(void) {
    char marker[32];
    int file = open("host.json", O_RDONLY);
    if (file < 0 || read(file, known, sizeof known - 1) < 1 || known[0] != '{') _exit(9);
    close(file);
    host("marker", marker, sizeof marker);
    prctl(PR_SET_NAME, marker, 0, 0, 0);
    file = open("control", O_WRONLY | O_CREAT, 0600);
    if (file < 0 || write(file, "x", 1) != 1 || unlink("control") < 0) _exit(9);
    if (write(1, "CONTROL ok\n", 11) != 11) _exit(9);
}
