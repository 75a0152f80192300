// Dots in paths.
#include "say.h"

int main(void) {
    struct stat found;
    mkdir("a", 0755), mkdir("a/b", 0755), put("file", "top"), put("a/file", "in a");
    show("a/../file");
    show("./a/./file");
    show("a/b/../file");
    show("a/b/../../file");
    show("a//file");
    show(".//a/b/..//../file");
    TRY(stat("file/..", &found));
    TRY(stat("missing/..", &found));
    TRY(open("a/b/..", O_RDONLY | O_DIRECTORY));
    TRY(open("a/b/../new", O_WRONLY | O_CREAT, 0644));
    printf("%s\n", kind("a/new"));
    return 0;
}
