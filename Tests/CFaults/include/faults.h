// Stands between the program and the disk, for tests that break it.
//
// Linked into a test program, these definitions of the C library's calls take the place of the originals and
// ask a hook before and after each. Compiled alone (cc -shared -fPIC) and named in LD_PRELOAD they do the same
// for any program, under the orders of the environment:
//
//   FAULTS_PATH=TEXT     only files with this text in their path
//   FAULTS_FAIL=NAMES    which calls fail: pwrite, pwritev, fdatasync, fsync, rename (separated by commas)
//   FAULTS_ERROR=NUMBER  with which errno; 5 (EIO) unless told
//   FAULTS_FILE=PATH     only while this file exists: the switch for a running program
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>
#include <sys/types.h>

enum { faults_pwrite, faults_pwritev, faults_fdatasync, faults_fsync, faults_rename, faults_unlink, faults_ftruncate, faults_reserve };

typedef struct {
    int operation;
    int descriptor;
    const char *path;
    const char *other;  // the new name, of a rename
    long offset;
    size_t count;
} faults_call;

/// Phase 0, before a call: an errno makes it fail, 0 lets it through. Phase 1, after it; the answer is ignored.
typedef int (*faults_hook)(const faults_call *call, int phase);

void faults_set_hook(faults_hook hook);

#endif
