// A path with nothing in it names nothing.
#include "say.h"

int main(void) {
    struct stat found;
    TRY(open("", O_RDONLY));
    TRY(open("", O_WRONLY | O_CREAT, 0644));
    TRY(stat("", &found));
    TRY(unlink(""));
    TRY(rename("", "x"));
    put("a", "x");
    TRY(rename("a", ""));
    TRY(link("a", ""));
    TRY(symlink("a", ""));
    TRY(access("", F_OK));
    return 0;
}
