// O_DIRECTORY wants a directory; a directory is not written.
#include "say.h"

int main(void) {
    put("file", "x");
    mkdir("folder", 0755);
    symlink("folder", "link");
    TRY(open("file", O_RDONLY | O_DIRECTORY));
    TRY(open("folder", O_RDONLY | O_DIRECTORY));
    TRY(open("link", O_RDONLY | O_DIRECTORY));
    TRY(open("folder", O_WRONLY));
    int fd = TRY(open("folder", O_RDONLY));
    char byte;
    TRY(read(fd, &byte, 1));
    TRY(write(fd, "x", 1));
    TRY(ftruncate(fd, 0));
    return 0;
}
