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

// --- HTTP

struct clinux_event {
    uint64_t data;
    uint32_t events;
};

enum {
    CLINUX_IN = 0x001,
    CLINUX_OUT = 0x004,
    CLINUX_ERROR = 0x008,
    CLINUX_HANG_UP = 0x010,
};

int clinux_epoll_create(void);
/// Watches a descriptor, level-triggered; `data` comes back with its events. Returns 0, or -1 with errno.
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data);
int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t data);
/// Watches a descriptor, which stays open, no more.
int clinux_epoll_remove(int epoll, int descriptor);
/// What is ready now, without waiting; at most 256.
int clinux_epoll_poll(int epoll, struct clinux_event *events, int count);

/// A descriptor that becomes readable again and again.
int clinux_ticker_create(void);
/// Ticks every so many milliseconds; 0: not at all.
int clinux_ticker_set(int ticker, long milliseconds);

/// Accepts a connection, non-blocking and closed on exec; the peer's address as IPv6 in two words (IPv4 is
/// mapped, a Unix socket's peer is 127.0.0.1). Returns the descriptor, or -1 with errno.
int clinux_accept(int listener, uint64_t *high, uint64_t *low);

// --- A mark on disk when a thread crashes in the middle of something (crash.c)

/// Until `clinux_crash_disarm`, a crash of the calling thread writes the signal's number (four bytes, little-endian)
/// at `offset` of `descriptor`, before it takes its usual course: other handlers, core dump, exit status.
///
/// A crash is a fault of the processor's (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP) or our own abort(). A signal that
/// somebody sends is none, be it SIGKILL, the kernel's for want of memory, or a watchdog's SIGABRT.
///
/// `stack`, of `size` bytes (at least 32 KiB), is what the handler runs on when the thread has none of its own for
/// that: the thread's ordinary stack may be what overflowed. It must stay until the thread is disarmed. Returns 0, or
/// -1 with errno.
int clinux_crash_arm(int descriptor, int64_t offset, void *stack, size_t size);

/// Ends it, on the same thread.
void clinux_crash_disarm(void);

#endif
