/* Counts what asks the disk to sync, and lets it fail on demand. Loaded before libc by a test.
 * SYNC_LOG: a file that gets one byte for each fsync or fdatasync.
 * SYNC_FAIL: while a file of this name exists, they fail with EIO. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int counted(void) {
    const char *log = getenv("SYNC_LOG");
    const char *fail = getenv("SYNC_FAIL");
    int file = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || write(file, "s", 1) != 1) {
        abort();
    }
    close(file);
    if (fail && access(fail, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int fsync(int file) { return counted() ? -1 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return counted() ? -1 : (int)syscall(SYS_fdatasync, file); }
