#include "axiom.h"

typedef struct {
  uint8_t kind; /* 1 file, 2 folder, 3 symbolic link, 4 other */
  uint64_t size;
  const uint8_t *path;
  size_t path_length;
  const uint8_t *first_bytes; /* of a file, where they were read */
  size_t first_length;
} entry;

/* Leaves out empty files whose names end in .tmp: here is what you decide by. */
static bool is_kept(const entry *e) {
  bool is_temporary = e->path_length >= 4 && memcmp(e->path + e->path_length - 4, ".tmp", 4) == 0;
  return !(e->kind == 1 && e->size == 0 && is_temporary);
}

static uint64_t number(const uint8_t *at, int bytes) {
  uint64_t sum = 0;
  while (bytes-- > 0) sum = sum << 8 | at[bytes];
  return sum;
}

int32_t axiom_initialize(void) { return 0; }

int32_t axiom_execute(uint32_t operation) {
  enum { PATH_AT = 28 }; /* kind, 3 bytes that are 0, mode, size, time, length of the path */
  if (operation != AXIOM_SELECT) return AXIOM_UNSUPPORTED;
  size_t left, count = 0;
  uint8_t *at = axiom_read_all(&left), *verdicts = axiom_alloc(left / 4 + 1);
  if (at == NULL || verdicts == NULL) return AXIOM_QUOTA;
  while (left > 0) {
    size_t length = left < 4 ? SIZE_MAX : (size_t)number(at, 4);
    if (length < PATH_AT || length > left - 4) return axiom_fail(AXIOM_INVALID_INPUT, "an entry is cut off");
    const uint8_t *own = at + 4;
    size_t path_length = (size_t)number(own + 24, 4);
    if (path_length > length - PATH_AT) return axiom_fail(AXIOM_INVALID_INPUT, "a path is cut off");
    const uint8_t *path = own + PATH_AT, *first = path + path_length;
    entry e = {*own, number(own + 8, 8), path, path_length, first, length - PATH_AT - path_length};
    verdicts[count++] = is_kept(&e);
    at += 4 + length;
    left -= 4 + length;
  }
  return axiom_write(verdicts, count);
}
