/* PackBits: n < 128 is followed by n + 1 bytes as they are, n >= 128 by one byte that is there n - 125 times. */
#include "../axiom.h"

enum { LITERALS_MAX = 128, RUN_MIN = 3, RUN_MAX = 130 };

/* How often the first byte stands there, up to RUN_MAX times. */
static size_t run(const uint8_t *at, const uint8_t *end) {
  size_t n = 1;
  while (n < RUN_MAX && at + n < end && at[n] == *at) n++;
  return n;
}

static size_t encode(const uint8_t *at, size_t length, uint8_t *to) {
  const uint8_t *end = at + length;
  uint8_t *from = to;
  while (at < end) {
    size_t n = run(at, end);
    if (n >= RUN_MIN) {
      *to++ = (uint8_t)(n + 125);
      *to++ = *at;
      at += n;
      continue;
    }
    const uint8_t *first = at;
    while (at < end && at - first < LITERALS_MAX && run(at, end) < RUN_MIN) at++;
    *to++ = (uint8_t)(at - first - 1);
    memcpy(to, first, (size_t)(at - first));
    to += at - first;
  }
  return (size_t)(to - from);
}

/* False where the bytes do not hold exactly `length` plain ones. */
static bool decode(const uint8_t *at, size_t stored, uint8_t *to, size_t length) {
  const uint8_t *end = at + stored, *stop = to + length;
  while (at < end) {
    size_t n = *at++, used = n < LITERALS_MAX ? n + 1 : 1, made = n < LITERALS_MAX ? n + 1 : n - 125;
    if (used > (size_t)(end - at) || made > (size_t)(stop - to)) return false;
    if (n < LITERALS_MAX) memcpy(to, at, made);
    else memset(to, *at, made);
    at += used;
    to += made;
  }
  return to == stop;
}

int32_t axiom_initialize(void) { return 0; }

int32_t axiom_execute(uint32_t operation) {
  if (operation != AXIOM_ENCODE && operation != AXIOM_DECODE) return AXIOM_UNSUPPORTED;
  size_t length;
  uint8_t *input = axiom_read_all(&length);
  if (input == NULL) return AXIOM_QUOTA;
  if (operation == AXIOM_ENCODE) {
    uint8_t *stored = axiom_alloc(length + length / LITERALS_MAX + 2);
    return stored == NULL ? AXIOM_QUOTA : axiom_write(stored, encode(input, length, stored));
  }
  size_t plain_length = (size_t)axiom_json_integer(axiom_header(), "plain_length", 0);
  uint8_t *plain = axiom_alloc(plain_length);
  if (plain == NULL) return AXIOM_QUOTA;
  if (!decode(input, length, plain, plain_length)) return axiom_fail(AXIOM_CORRUPT_DATA, "it does not hold what it should");
  return axiom_write(plain, plain_length);
}
