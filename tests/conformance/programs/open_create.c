// O_CREAT makes a file, and leaves one that is there.
#include "say.h"

int main(void) {
    int fd = TRY(open("new", O_RDWR | O_CREAT, 0644));
    TRY(write(fd, "first", 5));
    close(fd);
    fd = TRY(open("new", O_RDWR | O_CREAT, 0644));
    TRY(write(fd, "F", 1));
    close(fd);
    show("new");
    TRY(open("missing", O_RDONLY));
    TRY(open("no/where", O_WRONLY | O_CREAT, 0644));
    TRY(open("new/below", O_WRONLY | O_CREAT, 0644));
    return 0;
}
