// A directory moves with all that is in it, over an empty one, never into itself.
#include "say.h"

int main(void) {
    mkdir("one", 0755), mkdir("one/sub", 0755), put("one/sub/file", "x");
    mkdir("empty", 0755), mkdir("full", 0755), put("full/file", "y");
    TRY(rename("one", "full"));
    TRY(rename("one", "one/sub/deeper"));
    TRY(rename("one", "one/self"));
    TRY(rename("one", "empty"));
    printf("one: %s, empty/sub: %s\n", kind("one"), kind("empty/sub"));
    TRY(rename("empty/sub", "full/sub"));
    show("full/sub/file");
    TRY(rename("full", "full/sub"));
    TRY(rename("full/sub", "full"));
    return 0;
}
