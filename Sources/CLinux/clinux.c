#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static uint32_t crc32c_table[8][256];

__attribute__((constructor)) static void crc32c_fill(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
        crc32c_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            crc32c_table[t][i] = (crc32c_table[t - 1][i] >> 8) ^ crc32c_table[0][crc32c_table[t - 1][i] & 0xff];
}

static uint32_t crc32c_software(uint32_t crc, const uint8_t *p, size_t count) {
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = crc32c_table[7][word & 0xff] ^ crc32c_table[6][(word >> 8) & 0xff]
            ^ crc32c_table[5][(word >> 16) & 0xff] ^ crc32c_table[4][(word >> 24) & 0xff]
            ^ crc32c_table[3][(word >> 32) & 0xff] ^ crc32c_table[2][(word >> 40) & 0xff]
            ^ crc32c_table[1][(word >> 48) & 0xff] ^ crc32c_table[0][word >> 56];
        p += 8;
        count -= 8;
    }
    while (count--) crc = (crc >> 8) ^ crc32c_table[0][(crc ^ *p++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t seed, const uint8_t *p, size_t count) {
    uint64_t crc = seed;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __builtin_ia32_crc32di(crc, word);
        p += 8;
        count -= 8;
    }
    while (count--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *p++);
    return (uint32_t)crc;
}
#endif

uint32_t clinux_crc32c(uint32_t seed, const void *bytes, size_t count) {
    uint32_t crc = ~seed;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_hardware(crc, bytes, count);
#endif
    return ~crc32c_software(crc, bytes, count);
}

int clinux_random(void *bytes, size_t count) {
    uint8_t *p = bytes;
    while (count > 0) {
        ssize_t n = getrandom(p, count, 0);
        if (n < 0 && errno != EINTR) return -1;
        if (n > 0) {
            p += n;
            count -= (size_t)n;
        }
    }
    return 0;
}

// --- HTTP

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

_Static_assert(CLINUX_IN == EPOLLIN && CLINUX_OUT == EPOLLOUT, "epoll's bits");
_Static_assert(CLINUX_ERROR == EPOLLERR && CLINUX_HANG_UP == EPOLLHUP, "epoll's bits");

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int epoll_change(int epoll, int operation, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, descriptor, events, data);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_MOD, descriptor, events, data);
}

int clinux_epoll_remove(int epoll, int descriptor) {
    return epoll_change(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int clinux_epoll_poll(int epoll, struct clinux_event *events, int count) {
    struct epoll_event ready[256];
    int n = epoll_wait(epoll, ready, count < 256 ? count : 256, 0);
    for (int i = 0; i < n; i++) events[i] = (struct clinux_event){ready[i].data.u64, ready[i].events};
    return n;
}

int clinux_ticker_create(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int clinux_ticker_set(int ticker, long milliseconds) {
    struct timespec every = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    struct itimerspec setting = {every, every};
    return timerfd_settime(ticker, 0, &setting, NULL);
}

int clinux_accept(int listener, uint64_t *high, uint64_t *low) {
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    int descriptor = accept4(listener, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *high = 0;
    *low = 0xffff7f000001;
    if (descriptor >= 0 && from.ss_family == AF_INET) {
        *low = 0xffff00000000 | ntohl(((struct sockaddr_in *)&from)->sin_addr.s_addr);
    } else if (descriptor >= 0 && from.ss_family == AF_INET6) {
        const uint8_t *byte = ((struct sockaddr_in6 *)&from)->sin6_addr.s6_addr;
        *low = 0;
        for (int i = 0; i < 8; i++) *high = *high << 8 | byte[i];
        for (int i = 8; i < 16; i++) *low = *low << 8 | byte[i];
    }
    return descriptor;
}
