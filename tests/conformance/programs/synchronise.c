// fsync and fdatasync.
#include "say.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    TRY(write(fd, "x", 1));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    int folder = open(".", O_RDONLY | O_DIRECTORY);
    TRY(fsync(folder));
    TRY(fsync(99));
    return 0;
}
