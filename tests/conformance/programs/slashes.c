// A slash at the end means a directory.
#include "say.h"

int main(void) {
    struct stat found;
    put("file", "x"), mkdir("folder", 0755), symlink("file", "way"), symlink("folder", "link");
    TRY(open("file/", O_RDONLY));
    TRY(open("folder/", O_RDONLY));
    TRY(open("new/", O_WRONLY | O_CREAT, 0644));
    TRY(stat("file/", &found));
    TRY(stat("way/", &found));
    TRY(stat("folder/", &found));
    TRY(lstat("link/", &found));
    printf("a link with a slash is the directory: %d\n", S_ISDIR(found.st_mode));
    TRY(mkdir("made/", 0755));
    TRY(unlink("file/"));
    TRY(rename("file/", "other"));
    TRY(rename("file", "other/"));
    TRY(rename("folder/", "moved/"));
    TRY(rmdir("moved/"));
    return 0;
}
