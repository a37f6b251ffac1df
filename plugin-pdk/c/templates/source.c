#include "axiom.h"

static const char NAME[] = "hello.txt";
static const char CONTENT[] = "Hello from a plugin\n";
enum { LENGTH = sizeof CONTENT - 1 };

int32_t axiom_initialize(void) { return 0; }

static int32_t list(void) {
  const char *length = axiom_decimal(LENGTH);
  const char *json = axiom_join("{\"entries\":[{\"name\":\"", NAME, "\",\"length\":", length, "}]}", NULL);
  return axiom_result(json, strlen(json));
}

static int32_t read_part(const char *header) {
  const char *name = axiom_json_string(header, "name");
  if (name == NULL || strcmp(name, NAME) != 0) return axiom_fail(AXIOM_NOT_FOUND, "there is no such stream");
  int64_t from = axiom_json_integer(header, "offset", 0), length = axiom_json_integer(header, "length", 0);
  if (from > LENGTH) from = LENGTH;
  if (length > LENGTH - from) length = LENGTH - from;
  return axiom_write(CONTENT + from, (size_t)length);
}

int32_t axiom_execute(uint32_t operation) {
  if (operation == AXIOM_LIST) return list();
  if (operation == AXIOM_READ) return read_part(axiom_header());
  return AXIOM_UNSUPPORTED;
}
