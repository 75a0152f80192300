// To rename a file to itself, or to another name of it, changes nothing.
#include "say.h"

int main(void) {
    put("a", "text");
    TRY(rename("a", "a"));
    TRY(link("a", "b"));
    TRY(rename("a", "b"));
    printf("a: %s, b: %s\n", kind("a"), kind("b"));
    mkdir("folder", 0755);
    TRY(rename("folder", "folder"));
    TRY(rename("folder", "./folder"));
    TRY(rename("folder/../a", "c"));
    show("c");
    return 0;
}
