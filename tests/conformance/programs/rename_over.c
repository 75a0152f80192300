// rename replaces what is there, at once.
#include "say.h"

int main(void) {
    put("a", "from a");
    put("b", "from b");
    int old = open("b", O_RDONLY);
    TRY(rename("a", "b"));
    printf("a: %s\n", kind("a"));
    show("b");
    char text[8] = "";
    TRY(read(old, text, 6));
    printf("the old one: %s\n", text);
    mkdir("folder", 0755);
    TRY(rename("b", "folder"));
    TRY(rename("folder", "b"));
    TRY(rename("missing", "c"));
    TRY(rename("b", "no/where"));
    return 0;
}
