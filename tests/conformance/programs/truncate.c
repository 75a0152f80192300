// ftruncate grows with zeros, shrinks, and leaves the position.
#include "say.h"

int main(void) {
    struct stat found;
    char text[16];
    put("file", "0123456789");
    int fd = open("file", O_RDWR);
    TRY(lseek(fd, 8, SEEK_SET));
    TRY(ftruncate(fd, 4));
    printf("position %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    printf("%ld bytes\n", (long)read(fd, text, 4));
    TRY(ftruncate(fd, 8));
    fstat(fd, &found);
    pread(fd, text, 8, 0);
    printf("size %ld, %.4s, then %d %d\n", (long)found.st_size, text, text[4], text[7]);
    TRY(ftruncate(fd, -1));
    TRY(truncate("file", 2));
    TRY(truncate("missing", 2));
    mkdir("folder", 0755);
    TRY(truncate("folder", 0));
    show("file");
    return 0;
}
