// A directory that is open when it is removed stays empty.
#include "say.h"

int main(void) {
    struct stat found;
    mkdir("gone", 0755);
    int fd = TRY(open("gone", O_RDONLY | O_DIRECTORY));
    TRY(rmdir("gone"));
    TRY(openat(fd, "file", O_WRONLY | O_CREAT, 0644));
    TRY(mkdirat(fd, "sub", 0755));
    TRY(fstat(fd, &found));
    printf("%s\n", S_ISDIR(found.st_mode) ? "a directory" : "something");
    TRY(mkdir("gone", 0755));
    TRY(fstatat(fd, "file", &found, 0));
    return 0;
}
