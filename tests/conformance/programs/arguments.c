// The arguments as they were given. args: one|two words||"quoted"|*|--flag=x|é
#include "say.h"

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) printf("%d [%s]\n", i, argv[i]);
    printf("%d, then %s\n", argc, argv[argc] ? "something" : "nothing");
    return 0;
}
