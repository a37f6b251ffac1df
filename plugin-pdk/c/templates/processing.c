#include "axiom.h"

int32_t axiom_initialize(void) { return 0; }

int32_t axiom_execute(uint32_t operation) {
  if (operation != AXIOM_RUN) return AXIOM_UNSUPPORTED;
  /* `event`, `status` and `message` say what happened: here is what you make of it. */
  const char *message = axiom_json_string(axiom_header(), "message");
  const char *length = axiom_decimal(message == NULL ? 0 : (int64_t)strlen(message));
  const char *json = axiom_join("{\"status\":\"SUCCESS\",\"metrics\":{\"message_bytes\":", length, "}}", NULL);
  return axiom_result(json, strlen(json));
}
