// What main returns is the exit code.
#include "say.h"

int main(void) {
    put("file", "left behind");
    return 250;
}
