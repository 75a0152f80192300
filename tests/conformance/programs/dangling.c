// A link to nothing is there, and leads nowhere, until it leads somewhere.
#include "say.h"

int main(void) {
    struct stat found;
    TRY(symlink("later", "link"));
    TRY(stat("link", &found));
    TRY(lstat("link", &found));
    TRY(open("link", O_RDONLY));
    TRY(mkdir("link", 0755));
    TRY(open("link", O_WRONLY | O_CREAT, 0644));
    printf("later: %s\n", kind("later"));
    TRY(stat("link", &found));
    TRY(rmdir("link"));
    TRY(unlink("link"));
    return 0;
}
