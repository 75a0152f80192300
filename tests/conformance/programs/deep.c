// Directories fifty deep.
#include "say.h"

int main(void) {
    char path[512] = "d";
    for (int i = 0; i < 50; i++) {
        if (mkdir(path, 0755) < 0) printf("%d: %s\n", i, outcome(-1));
        strcat(path, "/d");
    }
    put(path, "at the bottom");
    show(path);
    char up[512] = "d";
    for (int i = 0; i < 40; i++) strcat(up, "/d");
    for (int i = 0; i < 40; i++) strcat(up, "/..");
    printf("%s %s\n", kind(up), kind("d/d/d"));
    return 0;
}
