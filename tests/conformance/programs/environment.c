// The environment as it was given, and what the program makes of it.
#include "say.h"

extern char **environ;

int main(void) {
    int count = 0;
    while (environ[count]) count++;
    printf("%d\n", count);
    printf("[%s] [%s] %s\n", getenv("ONE"), getenv("EMPTY"), getenv("MISSING") ? "there" : "not there");
    TRY(setenv("MISSING", "now", 0));
    TRY(setenv("ONE", "changed", 0));
    printf("[%s] [%s]\n", getenv("MISSING"), getenv("ONE"));
    TRY(unsetenv("ONE"));
    printf("%s\n", getenv("ONE") ? "there" : "not there");
    return 0;
}
