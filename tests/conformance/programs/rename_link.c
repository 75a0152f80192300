// rename moves a link itself, whatever it leads to.
#include "say.h"

int main(void) {
    char target[16] = "";
    put("file", "text");
    symlink("file", "link");
    TRY(rename("link", "moved"));
    printf("%s %ld\n", kind("moved"), (long)readlink("moved", target, 15));
    printf("%s\n", target);
    put("other", "other");
    TRY(rename("other", "moved"));
    printf("%s\n", kind("moved"));
    show("file");
    symlink("missing", "dangling");
    TRY(rename("dangling", "file"));
    printf("%s\n", kind("file"));
    return 0;
}
