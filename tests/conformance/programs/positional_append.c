// pwrite to a file that is open for appending.
#include "say.h"

int main(void) {
    put("file", "0123");
    int fd = TRY(open("file", O_RDWR | O_APPEND));
    TRY(pwrite(fd, "x", 1, 0));
    show("file");
    char byte = 0;
    TRY(pread(fd, &byte, 1, 1));
    printf("%c\n", byte);
    return 0;
}
