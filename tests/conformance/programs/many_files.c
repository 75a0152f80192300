// A thousand files in one directory, each with its own content.
#include <dirent.h>
#include "say.h"

int main(void) {
    char name[32], text[32];
    mkdir("many", 0755);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        snprintf(text, sizeof text, "number %d", i);
        put(name, text);
    }
    int count = 0;
    DIR *listing = opendir("many");
    for (struct dirent *entry; (entry = readdir(listing));) count += entry->d_name[0] != '.';
    closedir(listing);
    printf("%d\n", count);
    show("many/0");
    show("many/999");
    for (int i = 0; i < 1000; i++) snprintf(name, sizeof name, "many/%d", i), count -= unlink(name) == 0;
    printf("%d left\n", count);
    TRY(rmdir("many"));
    return 0;
}
