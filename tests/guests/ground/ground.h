// One case a program: what it prints must not depend on where it runs, in a brane or on a POSIX system (POSIX.1-2024).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// A case by its name; the loader registers it.
#define CASE(name) \
    static void name(void); \
    __attribute__((constructor)) static void add_##name(void) { add_case(#name, name); } \
    static void name(void)

// Prints an expression and its number, or the name of errno where that is negative.
#define SHOW(expression) show(#expression, (errno = 0, (long)(expression)))

void add_case(const char *name, void (*run)(void));
void show(const char *expression, long value);

// `name` below the directory of this run; good until the eighth call after.
const char *at(const char *name);

// A file with these bytes.
void make(const char *name, const char *text);
// Prints what a file holds, up to a hundred bytes.
void print(const char *name);
// Prints the names in a directory, sorted, without the two that every directory has.
void list(const char *name);
