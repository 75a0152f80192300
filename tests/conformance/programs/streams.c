// Files through stdio, in each mode.
#include "say.h"

int main(void) {
    char line[32];
    FILE *file = fopen("file", "w");
    fprintf(file, "one %d\n%s\n", 1, "two");
    printf("%ld\n", ftell(file));
    fclose(file);
    file = fopen("file", "r+");
    fgets(line, sizeof line, file);
    printf("%s", line);
    fseek(file, 0, SEEK_END), fputs("three\n", file);
    rewind(file);
    while (fgets(line, sizeof line, file)) printf("%s", line);
    printf("end %d\n", feof(file) != 0);
    fclose(file);
    file = fopen("file", "a+");
    fputs("four", file), rewind(file);
    printf("%c\n", fgetc(file));
    ungetc('O', file);
    printf("%c\n", fgetc(file));
    fclose(file);
    TRY(fopen("missing", "r") ? 0 : -1);
    TRY(fopen("file", "wx") ? 0 : -1);
    show("file");
    return 0;
}
