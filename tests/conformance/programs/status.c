// What stat, fstat and lstat say of each kind.
#include "say.h"

static void tell_status(const char *what, const struct stat *found) {
    const char *type = S_ISDIR(found->st_mode) ? "directory" : S_ISLNK(found->st_mode) ? "link" : "file";
    printf("%s: %s, inode %d", what, type, found->st_ino != 0);
    if (!S_ISDIR(found->st_mode)) printf(", size %ld, links %ld", (long)found->st_size, (long)found->st_nlink);
    putchar('\n');
}

int main(void) {
    struct stat found;
    put("file", "12345"), mkdir("folder", 0755), symlink("file", "link");
    TRY(stat("file", &found)), tell_status("file", &found);
    TRY(stat("folder", &found)), tell_status("folder", &found);
    TRY(stat("link", &found)), tell_status("link", &found);
    TRY(lstat("link", &found)), tell_status("link", &found);
    TRY(fstat(open("file", O_RDONLY), &found)), tell_status("open", &found);
    TRY(stat(".", &found)), tell_status("here", &found);
    TRY(stat("missing", &found));
    TRY(stat("file/below", &found));
    TRY(fstat(99, &found));
    return 0;
}
