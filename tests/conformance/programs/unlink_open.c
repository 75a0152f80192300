// A file that is open outlives its name.
#include "say.h"

int main(void) {
    struct stat found;
    char text[16] = "";
    put("file", "still here");
    int fd = open("file", O_RDWR);
    TRY(unlink("file"));
    TRY(unlink("file"));
    TRY(read(fd, text, 10));
    printf("%s\n", text);
    TRY(pwrite(fd, "S", 1, 0));
    fstat(fd, &found);
    printf("links %ld, size %ld\n", (long)found.st_nlink, (long)found.st_size);
    put("file", "another");
    TRY(pread(fd, text, 10, 0));
    printf("%s\n", text);
    show("file");
    return 0;
}
