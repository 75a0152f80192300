// fcntl tells and changes how a file is open.
#include "say.h"

int main(void) {
    put("file", "old ");
    int fd = open("file", O_WRONLY);
    int flags = TRY(fcntl(fd, F_GETFL));
    printf("writes %d, appends %d\n", (flags & O_ACCMODE) == O_WRONLY, (flags & O_APPEND) != 0);
    TRY(fcntl(fd, F_SETFL, flags | O_APPEND));
    printf("appends %d\n", (fcntl(fd, F_GETFL) & O_APPEND) != 0);
    TRY(write(fd, "new", 3));
    show("file");
    TRY(fcntl(99, F_GETFL));
    return 0;
}
