// rmdir takes an empty directory and nothing else.
#include "say.h"

int main(void) {
    mkdir("a", 0755), mkdir("a/b", 0755), put("a/b/file", "x");
    TRY(rmdir("a"));
    TRY(rmdir("a/b"));
    TRY(unlink("a/b/file"));
    TRY(rmdir("a/b/"));
    TRY(rmdir("a/."));
    TRY(rmdir("a"));
    TRY(rmdir("a"));
    TRY(rmdir(""));
    return 0;
}
