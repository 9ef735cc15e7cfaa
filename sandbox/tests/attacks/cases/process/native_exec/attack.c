#include "evidence.h"
#include <sys/mman.h>

static char *const none[] = {NULL};

static void from(const char *name, const char *path) {
    char *words[] = {(char *)path, "child", NULL};
    if (copy("/programs/main", path, 0755) < 0) { say("BROKEN", name, strerrorname_np(errno)); return; }
    attempt(name, start(words));
}

int main(int count, char **words) {
    if (count > 1) return getuid() != geteuid() || getgid() != getegid() || geteuid() == 0 ? 42 : 7;
    control();
    /* The same means do what is allowed. */
    char *again[] = {"/programs/again", "child", NULL};
    if (copy("/programs/main", again[0], 0755) < 0 || start(again) != 7) say("BROKEN", "again", strerrorname_np(errno));

    from("work", "/work/job/copy");
    from("temporary", "/tmp/copy");
    from("shared_memory", "/dev/shm/copy");
    char *linked[] = {"/programs/link", "child", NULL};
    if (symlink("/work/job/copy", linked[0]) < 0) say("BROKEN", "link", strerrorname_np(errno));
    attempt("by_link", start(linked));
    attempt("hard_link", link("/work/job/copy", "/programs/hard"));
    attempt("renamed", rename("/work/job/copy", "/programs/renamed"));

    char *loader[] = {"/lib64/ld-linux-x86-64.so.2", "/work/job/copy", "child", NULL};
    attempt("by_loader", start(loader) == 7 ? 7 : (errno = EPERM, -1));
    int file = open("/work/job/copy", O_RDWR);
    attempt("mapped", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED ? -1 : 1);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    attempt("mapped_later", mprotect(page, 4096, PROT_READ | PROT_EXEC));
    attempt("by_descriptor", syscall(SYS_execveat, open("/programs/main", O_RDONLY), "", none, none, AT_EMPTY_PATH));
    attempt("from_memory", syscall(SYS_memfd_create, "x", 0));

    char *runner[] = {"/promptcraft-runner", "serve", NULL};
    attempt("runner", start(runner));
    /* A file that would run as its owner, who is the job's own user, and a device. */
    char *owned[] = {"/programs/owned", "child", NULL};
    if (copy("/programs/main", owned[0], 06755) < 0) say("BROKEN", "owned", strerrorname_np(errno));
    attempt("setuid", start(owned) == 7 ? (errno = EPERM, -1) : 1);
    attempt("chown", chown("/programs/owned", 0, 0));
    attempt("device", mknod("/programs/null", S_IFCHR | 0666, 0x103));
    attempt("replace", rename("/programs", "/other"));
    attempt("remount", syscall(SYS_mount, "none", "/work", "", 0x20L, ""));
    return 0;
}
