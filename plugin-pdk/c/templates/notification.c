#include "axiom.h"

static const char *url;

int32_t axiom_initialize(void) {
  url = axiom_json_string(axiom_header(), "url"); /* stays, as all that is taken here */
  return 0;
}

int32_t axiom_execute(uint32_t operation) {
  enum { ANSWER_BYTES_MAX = 1024 };
  if (operation != AXIOM_RUN) return AXIOM_UNSUPPORTED;
  const char *where = axiom_quoted(url == NULL ? "" : url), *header = axiom_header();
  const char *headers = ",\"headers\":{\"content-type\":\"application/json\"}}";
  const char *request = axiom_join("{\"method\":\"POST\",\"url\":", where, headers, NULL);
  axiom_response response = axiom_http(request, header, strlen(header), ANSWER_BYTES_MAX);
  if (response.error != 0) return response.error;
  if (response.status < 200 || response.status > 299) {
    return axiom_fail(AXIOM_TRANSIENT, axiom_join("the server answers ", axiom_decimal(response.status), NULL));
  }
  return axiom_result("{\"status\":\"SUCCESS\"}", 20);
}
