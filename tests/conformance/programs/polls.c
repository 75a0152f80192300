// poll waits for input, for time, and knows what is always ready. stdin: x
#include <poll.h>
#include "say.h"

int main(void) {
    struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
    char byte;
    TRY(poll(both, 1, 5000));
    printf("input %d\n", (both[0].revents & POLLIN) != 0);
    TRY(read(0, &byte, 1));
    printf("%c\n", byte);
    TRY(poll(both + 1, 1, 5000));
    printf("output %d\n", (both[1].revents & POLLOUT) != 0);
    struct pollfd file = {.fd = open("file", O_RDWR | O_CREAT, 0644), .events = POLLIN | POLLOUT};
    TRY(poll(&file, 1, 5000));
    printf("a file %d %d\n", (file.revents & POLLIN) != 0, (file.revents & POLLOUT) != 0);
    return 0;
}
