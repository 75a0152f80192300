// `ground CASE DIRECTORY`: runs one case in an empty directory.
#include "ground.h"

static struct { const char *name; void (*run)(void); } cases[100];
static int count;
static const char *base;

void add_case(const char *name, void (*run)(void)) {
    cases[count].name = name;
    cases[count++].run = run;
}

static const char *error_name(void) {
    switch (errno) {
#define NAME(error) case error: return #error;
        NAME(EACCES) NAME(EBADF) NAME(EBUSY) NAME(EEXIST) NAME(EFBIG) NAME(EINVAL) NAME(EISDIR) NAME(ELOOP)
        NAME(ENAMETOOLONG) NAME(ENOENT) NAME(ENOSPC) NAME(ENOTDIR) NAME(ENOTEMPTY) NAME(EPERM) NAME(EROFS)
        NAME(ESPIPE) NAME(EXDEV)
    }
    return strerror(errno);
}

void show(const char *expression, long value) {
    if (value < 0) printf("%s: %s\n", expression, error_name());
    else printf("%s: %ld\n", expression, value);
}

const char *at(const char *name) {
    static char paths[8][8192];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

void make(const char *name, const char *text) {
    FILE *file = fopen(at(name), "w");
    if (!file || fputs(text, file) < 0 || fclose(file)) show("make", -1);
}

void print(const char *name) {
    char text[101] = "";
    int file = open(at(name), O_RDONLY);
    if (file < 0) { printf("%s: %s\n", name, error_name()); return; }
    long got = read(file, text, 100);
    printf("%s has %ld: %s\n", name, got, text);
    close(file);
}

static int order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void list(const char *name) {
    char *names[200];
    int found = 0;
    DIR *directory = opendir(at(name));
    if (!directory) { printf("%s: %s\n", name, error_name()); return; }
    for (struct dirent *entry; (entry = readdir(directory)) && found < 200;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[found++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, found, sizeof *names, order);
    printf("%s:", name);
    for (int i = 0; i < found; i++) printf(" %s", names[i]);
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    base = argv[2];
    for (int i = 0; i < count; i++)
        if (!strcmp(cases[i].name, argv[1])) { cases[i].run(); return 0; }
    return 2;
}
