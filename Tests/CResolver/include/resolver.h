// A name server that lies, for tests: takes the place of getaddrinfo for the names that a test announces.
#ifndef RESOLVER_H
#define RESOLVER_H

/// From now on `name` resolves to these literal addresses, separated by spaces: the first look-up to the first, the
/// second to the second, and so on; the last one stays.
void resolver_answer(const char *name, const char *addresses);
/// From now on looking up `name` takes so long, and then fails.
void resolver_hang(const char *name, int milliseconds);
/// How often `name` was looked up.
int resolver_count(const char *name);

#endif
