// With O_APPEND each write goes to the end, wherever the position is.
#include "say.h"

int main(void) {
    put("log", "one ");
    int fd = TRY(open("log", O_RDWR | O_APPEND));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(write(fd, "two ", 4));
    printf("position %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    int other = open("log", O_WRONLY | O_APPEND);
    TRY(write(other, "three ", 6));
    TRY(write(fd, "four", 4));
    show("log");
    TRY(ftruncate(fd, 3));
    TRY(write(fd, "!", 1));
    show("log");
    return 0;
}
