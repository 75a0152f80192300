// posix_fallocate makes a file as large as asked, posix_fadvise changes nothing.
#include "say.h"

int main(void) {
    struct stat found;
    put("file", "text");
    int fd = open("file", O_RDWR);
    printf("%d\n", posix_fallocate(fd, 0, 100));
    fstat(fd, &found);
    printf("size %ld\n", (long)found.st_size);
    printf("%d\n", posix_fallocate(fd, 10, 20));
    fstat(fd, &found);
    printf("size %ld\n", (long)found.st_size);
    printf("%d\n", posix_fadvise(fd, 0, 100, POSIX_FADV_SEQUENTIAL));
    printf("%d\n", posix_fallocate(fd, 0, 0) == EINVAL);
    return 0;
}
