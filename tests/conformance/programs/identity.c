// A file is known by device and inode, whatever its name.
#include "say.h"

static struct stat of(const char *path) {
    struct stat found = {0};
    if (stat(path, &found) < 0) printf("%s: %s\n", path, outcome(-1));
    return found;
}

int main(void) {
    put("a", "x"), put("b", "x"), mkdir("d", 0755);
    struct stat a = of("a"), b = of("b"), d = of("d");
    printf("distinct %d\n", a.st_ino != b.st_ino && b.st_ino != d.st_ino && a.st_dev == d.st_dev);
    rename("a", "d/c");
    printf("the same after a move %d\n", of("d/c").st_ino == a.st_ino);
    put("d/c", "more");
    printf("the same after a change %d\n", of("d/c").st_ino == a.st_ino);
    printf("through dots %d\n", of("d/../d/./c").st_ino == a.st_ino);
    return 0;
}
