// None of the streams is a terminal.
#include "say.h"

int main(void) {
    printf("%d %d\n", isatty(0), isatty(1));
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    TRY(isatty(fd) ? 0 : -1);
    TRY(isatty(99) ? 0 : -1);
    return 0;
}
