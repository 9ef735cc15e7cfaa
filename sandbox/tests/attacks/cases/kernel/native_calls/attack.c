#include "evidence.h"
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

int main(void) {
    control();
    char text[64];
    struct iovec own = {text, sizeof text}, other = {(void *)0x400000, sizeof text};
    attempt("trace_me", ptrace(PTRACE_TRACEME, 0, 0, 0));
    attempt("trace_runner", ptrace(PTRACE_ATTACH, 1, 0, 0));
    pid_t child = fork();
    if (child == 0) pause();
    attempt("trace_child", child < 0 ? -1 : ptrace(PTRACE_SEIZE, child, 0, 0));
    attempt("read_runner", process_vm_readv(1, &own, 1, &other, 1, 0));
    if (child > 0) kill(child, 9);
    attempt("mount_proc", mount("none", "/work/job", "proc", 0, ""));
    attempt("mount_tmpfs", mount("none", "/programs", "tmpfs", 0, ""));
    attempt("remount_root", mount("none", "/", "", MS_REMOUNT | MS_BIND, ""));
    attempt("unmount", umount2("/programs", MNT_DETACH));
    attempt("new_user", unshare(CLONE_NEWUSER));
    attempt("new_mounts", unshare(CLONE_NEWNS));
    attempt("fork_into_user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    attempt("clone3", syscall(SYS_clone3, text, 0));
    attempt("setns", syscall(SYS_setns, 0, 0));
    attempt("bpf", syscall(SYS_bpf, 0, text, sizeof text));
    attempt("perf", syscall(SYS_perf_event_open, text, 0, -1, -1, 0));
    attempt("fault", syscall(SYS_userfaultfd, 0));
    attempt("uring", syscall(SYS_io_uring_setup, 1, text));
    attempt("keys", syscall(SYS_add_key, "user", "a", "b", 1, -3));
    attempt("shared", syscall(SYS_shmget, 1, 4096, 01600));
    attempt("chroot", chroot("/work"));
    attempt("root", setuid(0));
    return 0;
}
