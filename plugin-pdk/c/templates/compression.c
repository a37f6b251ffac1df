#include "axiom.h"

int32_t axiom_initialize(void) { return 0; }

/* Copies: here the bytes become fewer. */
static int32_t encode(const uint8_t *plain, size_t length) { return axiom_write(plain, length); }

static int32_t decode(const uint8_t *stored, size_t length, size_t plain_length) {
  if (length != plain_length) return axiom_fail(AXIOM_CORRUPT_DATA, "it does not hold what it should");
  return axiom_write(stored, length);
}

int32_t axiom_execute(uint32_t operation) {
  if (operation != AXIOM_ENCODE && operation != AXIOM_DECODE) return AXIOM_UNSUPPORTED;
  size_t length;
  uint8_t *input = axiom_read_all(&length);
  if (input == NULL) return AXIOM_QUOTA;
  if (operation == AXIOM_ENCODE) return encode(input, length);
  return decode(input, length, (size_t)axiom_json_integer(axiom_header(), "plain_length", 0));
}
