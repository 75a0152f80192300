// access says what there is.
#include "say.h"

int main(void) {
    put("file", "x"), mkdir("folder", 0755), symlink("missing", "dangling");
    TRY(access("file", F_OK));
    TRY(access("file", R_OK | W_OK));
    TRY(access("folder", R_OK | W_OK | X_OK));
    TRY(access("missing", F_OK));
    TRY(access("dangling", F_OK));
    TRY(access("file/below", F_OK));
    TRY(access("file", 64));
    return 0;
}
