// Two names of one file.
#include "say.h"

int main(void) {
    struct stat a, b;
    put("a", "text");
    TRY(link("a", "b"));
    TRY(link("a", "b"));
    stat("a", &a), stat("b", &b);
    printf("same %d, links %ld\n", a.st_ino == b.st_ino && a.st_dev == b.st_dev, (long)b.st_nlink);
    put("b", "changed");
    show("a");
    TRY(unlink("a"));
    stat("b", &b);
    printf("links %ld\n", (long)b.st_nlink);
    mkdir("folder", 0755);
    TRY(link("folder", "other"));
    TRY(link("missing", "other"));
    TRY(link("b", "no/where"));
    symlink("b", "way");
    TRY(link("way", "again"));
    printf("%s\n", kind("again"));
    return 0;
}
