// lseek from each end, past the end, before the beginning.
#include "say.h"

int main(void) {
    char byte = 0;
    put("file", "0123456789");
    int fd = open("file", O_RDWR);
    printf("%ld\n", (long)lseek(fd, -3, SEEK_END));
    TRY(read(fd, &byte, 1));
    printf("%c\n%ld\n", byte, (long)lseek(fd, -2, SEEK_CUR));
    TRY(lseek(fd, -1, SEEK_SET));
    TRY(lseek(fd, -100, SEEK_CUR));
    printf("%ld\n", (long)lseek(fd, 20, SEEK_SET));
    printf("%ld bytes\n", (long)read(fd, &byte, 1));
    TRY(write(fd, "z", 1));
    printf("size %ld\n", (long)lseek(fd, 0, SEEK_END));
    TRY(lseek(77, 0, SEEK_SET));
    return 0;
}
