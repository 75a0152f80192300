// Permission bits, which WASI does not have.
#include "say.h"

int main(void) {
    struct stat found;
    int fd = open("file", O_RDWR | O_CREAT, 0640);
    fstat(fd, &found);
    printf("mode %03o\n", (unsigned)found.st_mode & 0777);
    printf("link count %ld\n", (long)found.st_nlink);
    return 0;
}
