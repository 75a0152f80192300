// pread and pwrite have a place of their own and leave the position.
#include "say.h"

int main(void) {
    char text[16] = "";
    put("file", "0123456789");
    int fd = open("file", O_RDWR);
    TRY(lseek(fd, 2, SEEK_SET));
    printf("%ld %.3s\n", (long)pread(fd, text, 3, 5), text);
    TRY(pwrite(fd, "ab", 2, 8));
    TRY(pwrite(fd, "end", 3, 12));
    printf("position %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    long count = pread(fd, text, 16, 0);
    for (long i = 0; i < count; i++) putchar(text[i] ? text[i] : '.');
    printf("\n%ld at the end\n", (long)pread(fd, text, 4, 13));
    printf("%ld beyond\n", (long)pread(fd, text, 4, 100));
    TRY(pread(fd, text, 1, -1));
    TRY(pwrite(fd, "x", 1, -1));
    return 0;
}
