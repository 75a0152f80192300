// Links in the middle of a path, with dots in them, lead on from where they are.
#include "say.h"

int main(void) {
    mkdir("a", 0755), mkdir("a/b", 0755), mkdir("c", 0755);
    put("c/file", "found");
    symlink("../../c", "a/b/way");
    symlink("way/file", "a/b/file");
    symlink("./b/../b/./file", "a/file");
    show("a/b/way/file");
    show("a/b/file");
    show("a/file");
    show("a/b/way/../c/file");
    TRY(symlink("b/", "a/slash"));
    show("a/slash/file");
    printf("%s %s\n", kind("a/slash"), kind("a/slash/"));
    return 0;
}
