// Links that lead to each other end with an error.
#include "say.h"

int main(void) {
    struct stat found;
    TRY(symlink("b", "a"));
    TRY(symlink("a", "b"));
    TRY(symlink("self", "self"));
    TRY(open("a", O_RDONLY));
    TRY(stat("self", &found));
    TRY(lstat("self", &found));
    TRY(open("self/below", O_RDONLY));
    TRY(open("a", O_WRONLY | O_CREAT, 0644));
    char from[16], to[16] = "end";
    put("end", "at last");
    for (int i = 0; i < 30; i++) {
        snprintf(from, sizeof from, "way%d", i);
        symlink(to, from);
        strcpy(to, from);
    }
    show(to);
    return 0;
}
