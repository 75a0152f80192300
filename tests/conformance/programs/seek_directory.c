// telldir and seekdir come back to the same entry.
#include <dirent.h>
#include "say.h"

int main(void) {
    char name[16];
    mkdir("d", 0755);
    for (int i = 0; i < 50; i++) snprintf(name, sizeof name, "d/%02d", i), put(name, "x");
    DIR *listing = opendir("d");
    for (int i = 0; i < 20; i++) readdir(listing);
    long place = telldir(listing);
    char next[256];
    strcpy(next, readdir(listing)->d_name);
    int rest = 1;
    while (readdir(listing)) rest++;
    seekdir(listing, place);
    printf("same %d, rest %d\n", !strcmp(next, readdir(listing)->d_name), rest);
    closedir(listing);
    return 0;
}
