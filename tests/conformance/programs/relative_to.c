// The calls that take a directory to start from.
#include "say.h"

int main(void) {
    struct stat found;
    char text[16] = "";
    mkdir("d", 0755), mkdir("e", 0755);
    int d = open("d", O_RDONLY | O_DIRECTORY), e = open("e", O_RDONLY | O_DIRECTORY);
    int fd = TRY(openat(d, "file", O_RDWR | O_CREAT, 0644));
    TRY(write(fd, "x", 1));
    TRY(mkdirat(d, "sub", 0755));
    TRY(fstatat(d, "file", &found, 0));
    TRY(linkat(d, "file", e, "linked", 0));
    TRY(symlinkat("linked", e, "way"));
    printf("%ld %s\n", (long)readlinkat(e, "way", text, 15), text);
    TRY(fstatat(e, "way", &found, AT_SYMLINK_NOFOLLOW));
    printf("link %d\n", S_ISLNK(found.st_mode));
    TRY(renameat(d, "file", e, "moved"));
    TRY(unlinkat(d, "sub", 0));
    TRY(unlinkat(d, "sub", AT_REMOVEDIR));
    TRY(faccessat(e, "moved", R_OK, 0));
    TRY(openat(fd, "x", O_RDONLY));
    return 0;
}
