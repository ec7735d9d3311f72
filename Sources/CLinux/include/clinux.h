// What Glibc's Swift module lacks: epoll, eventfd, accept4, and the CRC32C instruction.
// Never define _GNU_SOURCE in this header; the definitions live in clinux.c.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli) of `count` bytes, continued from `seed`; hardware where there is any.
uint32_t clinux_crc32c(uint32_t seed, const void *bytes, size_t count);

/// Fills `bytes` with random bytes from the kernel; returns 0, or -1 with errno.
int clinux_random(void *bytes, size_t count);

#endif
