// Packs the files of a directory, read with stdio, into one file, lists it back, and says how many bytes it was.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static long pack(const char *folder, const char *name, FILE *out) {
    char path[512], block[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode)) return 0;
    FILE *in = fopen(path, "rb");
    if (!in) perror(path), exit(2);
    fprintf(out, "%s %lld\n", name, (long long)found.st_size);
    size_t count;
    while ((count = fread(block, 1, sizeof block, in)) > 0) fwrite(block, 1, count, out);
    fclose(in);
    return (long)found.st_size;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int list(const char *archive) {
    char name[256];
    long long size;
    int files = 0;
    FILE *in = fopen(archive, "rb");
    while (in && fscanf(in, "%255s %lld", name, &size) == 2) {
        fgetc(in); // the newline
        fseek(in, (long)size, SEEK_CUR);
        printf("%s %lld\n", name, size);
        files++;
    }
    if (in) fclose(in);
    return files;
}

int main(int argc, char **argv) {
    if (argc != 3) return fputs("usage: archive FOLDER FILE\n", stderr), 64;
    char *names[100];
    int count = 0;
    DIR *listing = opendir(argv[1]);
    if (!listing) return perror(argv[1]), 1;
    for (struct dirent *entry; (entry = readdir(listing)) && count < 100;) names[count++] = strdup(entry->d_name);
    closedir(listing);
    qsort(names, (size_t)count, sizeof *names, by_name);
    FILE *out = fopen(argv[2], "wbx");
    if (!out) return perror(argv[2]), 1;
    long bytes = 0;
    for (int i = 0; i < count; i++) bytes += pack(argv[1], names[i], out);
    fclose(out);
    int files = list(argv[2]);
    printf("%d files, %ld bytes\n", files, bytes);
    return 0;
}
