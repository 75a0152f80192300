// unlink is for what is no directory, rmdir for what is one.
#include "say.h"

int main(void) {
    put("file", "x");
    mkdir("folder", 0755);
    symlink("folder", "link");
    TRY(unlink("folder"));
    TRY(rmdir("file"));
    TRY(rmdir("link"));
    TRY(unlink("missing"));
    TRY(rmdir("missing"));
    TRY(unlink("file/below"));
    TRY(unlink("link"));
    TRY(remove("file"));
    TRY(remove("folder"));
    return 0;
}
