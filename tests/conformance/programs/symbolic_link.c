// A link is read, followed, and removed without what it leads to.
#include "say.h"

int main(void) {
    char text[32] = "";
    put("file", "text");
    TRY(symlink("file", "link"));
    TRY(symlink("file", "link"));
    TRY(symlink("", "empty"));
    show("link");
    printf("%ld %s\n", (long)readlink("link", text, 31), text);
    printf("%ld %.2s\n", (long)readlink("link", text, 2), text);
    TRY(readlink("file", text, 31));
    TRY(readlink("missing", text, 31));
    put("link", "through");
    show("file");
    TRY(unlink("link"));
    show("file");
    return 0;
}
