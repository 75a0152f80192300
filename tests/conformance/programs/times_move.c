// What is written is newer; what is read or renamed is not changed.
#include "say.h"

static long long modified(const char *path) {
    struct stat found;
    stat(path, &found);
    return found.st_mtim.tv_sec;
}

int main(void) {
    struct timespec old[2] = {{1000, 0}, {1000, 0}}, now;
    put("file", "x"), mkdir("d", 0755);
    utimensat(AT_FDCWD, "file", old, 0), utimensat(AT_FDCWD, "d", old, 0);
    show("file");
    printf("read: %d\n", modified("file") == 1000);
    rename("file", "d/file");
    printf("renamed: %d, its directory: %d\n", modified("d/file") == 1000, modified("d") > 1000);
    put("d/file", "y");
    clock_gettime(CLOCK_REALTIME, &now);
    printf("written: %d\n", modified("d/file") <= now.tv_sec && modified("d/file") > now.tv_sec - 60);
    int fd = open("d/file", O_RDWR);
    futimens(fd, old), ftruncate(fd, 9);
    printf("truncated: %d\n", modified("d/file") > 1000);
    return 0;
}
