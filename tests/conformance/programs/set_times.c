// utimensat and futimens set times to the nanosecond, or leave them.
#include "say.h"

static void tell(const char *path) {
    struct stat found;
    lstat(path, &found);
    printf("%s: %lld.%09ld %lld.%09ld\n", path, (long long)found.st_atim.tv_sec, found.st_atim.tv_nsec,
           (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

int main(void) {
    struct timespec both[2] = {{1000000000, 123456789}, {1500000000, 987654321}};
    put("file", "x"), mkdir("folder", 0755), symlink("file", "link");
    TRY(utimensat(AT_FDCWD, "file", both, 0)), tell("file");
    TRY(utimensat(AT_FDCWD, "folder", both, 0)), tell("folder");
    struct timespec one[2] = {{0, UTIME_OMIT}, {1, 2}};
    TRY(utimensat(AT_FDCWD, "link", one, 0)), tell("file");
    TRY(utimensat(AT_FDCWD, "link", both, AT_SYMLINK_NOFOLLOW)), tell("link");
    TRY(futimens(open("file", O_RDWR), both)), tell("file");
    TRY(utimensat(AT_FDCWD, "missing", both, 0));
    both[0].tv_nsec = 1000000000;
    TRY(utimensat(AT_FDCWD, "file", both, 0));
    return 0;
}
