// Standard input to its end, by lines. stdin: one|two words||last
#include "say.h"

int main(void) {
    char line[64], byte;
    int lines = 0;
    while (fgets(line, sizeof line, stdin)) printf("%d %s", ++lines, line);
    printf("\nend %d\n", feof(stdin) != 0);
    TRY(read(0, &byte, 1));
    return 0;
}
