/* Counts lines, words and bytes of standard input; with an argument, also how many lines hold that word. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    char line[4096];
    long lines = 0, words = 0, bytes = 0, hits = 0;
    while (fgets(line, sizeof line, stdin)) {
        int inside = 0;
        lines++;
        bytes += (long)strlen(line);
        for (char *at = line; *at; at++) {
            int space = isspace((unsigned char)*at) != 0;
            words += !space && !inside;
            inside = !space;
        }
        if (argc > 1 && strstr(line, argv[1]))
            hits++;
    }
    printf("%ld lines, %ld words, %ld bytes\n", lines, words, bytes);
    if (argc > 1)
        printf("%ld lines with %s\n", hits, argv[1]);
    return argc > 1 && hits == 0 ? 3 : 0;
}
