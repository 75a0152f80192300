// mkdir, once.
#include "say.h"

int main(void) {
    TRY(mkdir("a", 0755));
    TRY(mkdir("a", 0755));
    TRY(mkdir("a/b/c", 0755));
    TRY(mkdir("a/b", 0755));
    put("file", "x");
    TRY(mkdir("file", 0755));
    TRY(mkdir("file/below", 0755));
    TRY(mkdir("", 0755));
    TRY(mkdir(".", 0755));
    TRY(mkdir("a/..", 0755));
    printf("%s %s\n", kind("a"), kind("a/b"));
    return 0;
}
