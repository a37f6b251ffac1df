#include "axiom.h"

enum { OBJECT_BYTES_MAX = 48 << 20 };

static const char *url;

int32_t axiom_initialize(void) {
  url = axiom_json_string(axiom_header(), "url"); /* stays, as all that is taken here */
  return 0;
}

static axiom_response request(const char *method, const char *key, const char *headers, const void *body, size_t length) {
  const char *where = axiom_quoted(axiom_join(url == NULL ? "" : url, key, NULL));
  const char *json = axiom_join("{\"method\":\"", method, "\",\"url\":", where, ",\"headers\":", headers, "}", NULL);
  axiom_response response = axiom_http(json, body, length, OBJECT_BYTES_MAX);
  int32_t status = response.status;
  if (response.error != 0 || (status >= 200 && status <= 299)) return response;
  if (status == 404) response.error = AXIOM_NOT_FOUND;
  else if (status == 412) response.error = AXIOM_CONFLICT;
  else if (status == 408 || status == 429 || status >= 500) response.error = AXIOM_TRANSIENT;
  else response.error = AXIOM_PERMANENT;
  axiom_fail(response.error, axiom_join(method, " ", key, ": the server answers ", axiom_decimal(status), NULL));
  return response;
}

static int32_t get(const char *header, const char *key) {
  int64_t offset = axiom_json_integer(header, "offset", 0), length = axiom_json_integer(header, "length", 0);
  const char *headers = "{}";
  if (length > 0) {
    const char *last = axiom_decimal(offset + length - 1);
    headers = axiom_join("{\"range\":\"bytes=", axiom_decimal(offset), "-", last, "\"}", NULL);
  }
  axiom_response response = request("GET", key, headers, NULL, 0);
  return response.error != 0 ? response.error : axiom_write(response.body, response.length);
}

static int32_t stat(const char *key) {
  axiom_response response = request("HEAD", key, "{}", NULL, 0);
  if (response.error != 0) return response.error;
  const char *length = axiom_json_string(axiom_json_value(response.header, "headers"), "content-length");
  const char *json = axiom_join("{\"length\":", length == NULL ? "0" : length, "}", NULL);
  return axiom_result(json, strlen(json));
}

int32_t axiom_execute(uint32_t operation) {
  const char *header = axiom_header(), *key = axiom_json_string(header, "key");
  if (key == NULL) key = "";
  if (operation == AXIOM_PUT) {
    size_t length;
    uint8_t *object = axiom_read_all(&length);
    if (object == NULL) return AXIOM_QUOTA;
    return request("PUT", key, "{\"if-none-match\":\"*\"}", object, length).error;
  }
  if (operation == AXIOM_GET) return get(header, key);
  if (operation == AXIOM_STAT) return stat(key);
  if (operation == AXIOM_DELETE) {
    int32_t error = request("DELETE", key, "{}", NULL, 0).error;
    return error == AXIOM_NOT_FOUND ? 0 : error;
  }
  return AXIOM_UNSUPPORTED; /* AXIOM_LIST: how it is done differs from server to server */
}
