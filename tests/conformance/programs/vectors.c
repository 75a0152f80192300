// readv and writev.
#include <sys/uio.h>
#include "say.h"

int main(void) {
    char a[4] = "", b[8] = "";
    struct iovec out[3] = {{"one", 3}, {"", 0}, {" two", 4}}, in[2] = {{a, 3}, {b, 7}};
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    for (int i = 0, left = 7; left > 0 && i < 3; i++) left -= writev(fd, out + i, 3 - i); // each may write less
    show("file");
    lseek(fd, 0, SEEK_SET);
    printf("some %d\n", readv(fd, in, 2) >= 3);
    printf("%s\n", a);
    TRY(writev(fd, out, -1));
    TRY(readv(99, in, 2));
    return 0;
}
