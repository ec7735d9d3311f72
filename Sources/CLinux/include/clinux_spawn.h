// Starting a program as another user, from a process with many threads.
#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H

#include <stdint.h>

typedef struct {
    const char *path;
    char *const *arguments;   // with the program's name first, ends with NULL
    char *const *environment; // ends with NULL
    int output;               // standard output and error; standard input is /dev/null
    int change_user;          // 1: become `uid` and `gid`, without other groups
    uint32_t uid;
    uint32_t gid;
    int keep_search;          // 1: may go through folders that are closed to that user (an ambient capability)
} clinux_spawn_options;

/// Starts a program in a session of its own (a Ctrl-C in our terminal does not reach it), with default signals, and
/// no descriptors but the first three. Returns its process id, or -1 with errno, and in `step` what failed.
int32_t clinux_spawn(const clinux_spawn_options *options, const char **step);

#endif
