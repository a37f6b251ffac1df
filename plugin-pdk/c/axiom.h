/* What a plugin of AXIOM written in C needs: ABI 1 as plugin-pdk/abi.md has it. Copy it into a project as it is.
 *
 *   #include "axiom.h"
 *   int32_t axiom_initialize(void) { return 0; }
 *   int32_t axiom_execute(uint32_t operation) {
 *     if (operation != AXIOM_ENCODE && operation != AXIOM_DECODE) return AXIOM_UNSUPPORTED;
 *     char buffer[65536];
 *     for (size_t n; (n = axiom_read(buffer, sizeof buffer)) != 0;) axiom_write(buffer, n);
 *     return 0;
 *   }
 *
 * Include it in one file of the plugin. It needs a C library: zig cc --target=wasm32-wasi brings one.
 */
#ifndef AXIOM_H
#define AXIOM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  AXIOM_ENCODE = 1,
  AXIOM_DECODE,
  AXIOM_SEAL,
  AXIOM_OPEN,
  AXIOM_PUT,
  AXIOM_GET,
  AXIOM_STAT,
  AXIOM_LIST,
  AXIOM_DELETE,
  AXIOM_SELECT,
  AXIOM_PLAN,
  AXIOM_READ,
  AXIOM_RUN
};

/* Classes of errors: what a function returns that is not 0. */
enum {
  AXIOM_INVALID_INPUT = 1,
  AXIOM_UNSUPPORTED,
  AXIOM_CORRUPT_DATA,
  AXIOM_AUTH,
  AXIOM_NOT_FOUND,
  AXIOM_CONFLICT,
  AXIOM_TRANSIENT,
  AXIOM_QUOTA,
  AXIOM_PERMANENT,
  AXIOM_CANCELLED,
  AXIOM_INTERNAL,
  AXIOM_CAPABILITY_DENIED
};

/* Yours. Nothing that one call leaves may show in another one. */
int32_t axiom_initialize(void);
int32_t axiom_execute(uint32_t operation);

#define AXIOM_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define AXIOM_EXPORT(name) __attribute__((export_name(name)))

/* Fills `to` from the input; less than all of it only at the input's end. */
AXIOM_IMPORT("axiom:host/io@1", "read") size_t axiom_read(void *to, size_t capacity);
/* Appends to the output; ends the call where that would be longer than the host wants. */
AXIOM_IMPORT("axiom:host/io@1", "write") int32_t axiom_write(const void *from, size_t length);
/* Bytes of the input that were not read yet. */
AXIOM_IMPORT("axiom:host/io@1", "left") size_t axiom_left(void);

AXIOM_IMPORT("axiom:host/call@1", "op") uint32_t axiom_operation(void);
AXIOM_IMPORT("axiom:host/call@1", "params") size_t axiom_params(void *to, size_t capacity);
/* Sets the result: JSON of at most 1 MiB. */
AXIOM_IMPORT("axiom:host/call@1", "result") int32_t axiom_result(const char *json, size_t length);
AXIOM_IMPORT("axiom:host/call@1", "fail") int32_t axiom_fail_bytes(int32_t error, const char *text, size_t length);
/* 1 once nobody waits any more; then there are 250 ms left to return. */
AXIOM_IMPORT("axiom:host/call@1", "cancelled") int32_t axiom_cancelled(void);

/* Capability log. Level 0 error, 1 warning, 2 info, 3 debug. */
AXIOM_IMPORT("axiom:host/log@1", "log") int32_t axiom_log_bytes(int32_t level, const char *text, size_t length);

/* Capability clock: nanoseconds since 1970, and since an arbitrary moment. */
AXIOM_IMPORT("axiom:host/clock@1", "now") int64_t axiom_now(void);
AXIOM_IMPORT("axiom:host/clock@1", "monotonic") int64_t axiom_monotonic(void);

/* Capability random. */
AXIOM_IMPORT("axiom:host/random@1", "fill") int32_t axiom_random(void *to, size_t length);

/* Capability metric: a name of a-z, 0-9 and _. */
AXIOM_IMPORT("axiom:host/metric@1", "report") int32_t axiom_metric(const char *name, size_t length, double value);

/* Capability kv. axiom_kv_get answers the length of the value, which is written only where it fits, and -1 for none. */
AXIOM_IMPORT("axiom:host/kv@1", "get")
int32_t axiom_kv_get(const char *key, size_t key_length, void *to, size_t capacity);
AXIOM_IMPORT("axiom:host/kv@1", "set")
int32_t axiom_kv_set(const char *key, size_t key_length, const void *value, size_t length);
AXIOM_IMPORT("axiom:host/kv@1", "delete") int32_t axiom_kv_delete(const char *key, size_t key_length);
AXIOM_IMPORT("axiom:host/kv@1", "keys") size_t axiom_kv_keys(char *to, size_t capacity);

/* Capability net.http. */
AXIOM_IMPORT("axiom:host/http@1", "send")
int32_t axiom_http_send(const char *request, size_t length, const void *body, size_t body_length);
AXIOM_IMPORT("axiom:host/http@1", "response") size_t axiom_http_response(void *to, size_t capacity);
AXIOM_IMPORT("axiom:host/http@1", "read") size_t axiom_http_read(void *to, size_t capacity);

/* `return axiom_fail(AXIOM_CORRUPT_DATA, "the frame ends too early");` */
static inline int32_t axiom_fail(int32_t error, const char *message) {
  return axiom_fail_bytes(error, message, strlen(message));
}

static inline void axiom_log(int32_t level, const char *message) { axiom_log_bytes(level, message, strlen(message)); }

static uintptr_t axiom_arena_kept, axiom_arena_used, axiom_arena_end;

/* Memory of the call that runs: all of it is taken back when the call has ended, nothing needs to be freed, and what
 * axiom_initialize took stays. NULL where there is no more. The malloc of some C libraries gives out powers of two, which
 * is much for a frame and a byte. */
static inline void *axiom_alloc(size_t length) {
  enum { PAGE = 65536, ALIGN = 16 };
  if (axiom_arena_end == 0) axiom_arena_end = axiom_arena_used = __builtin_wasm_memory_size(0) * PAGE;
  uintptr_t from = (axiom_arena_used + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
  if (length > UINTPTR_MAX - from) return NULL;
  if (from + length > axiom_arena_end) {
    size_t pages = (from + length - axiom_arena_end + PAGE - 1) / PAGE;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == SIZE_MAX) return NULL;
    if (before * PAGE != axiom_arena_end) { /* something else grew: begin anew behind it */
      pages = (length + PAGE - 1) / PAGE;
      before = __builtin_wasm_memory_grow(0, pages);
      if (before == SIZE_MAX) return NULL;
      axiom_arena_kept = from = before * PAGE;
    }
    axiom_arena_end = (before + pages) * PAGE;
  }
  axiom_arena_used = from + length;
  return (void *)from;
}

/* What is left of the input, and its length; NULL where there is no memory for it. */
static inline uint8_t *axiom_read_all(size_t *length) {
  *length = axiom_left();
  uint8_t *bytes = axiom_alloc(*length);
  if (bytes != NULL) axiom_read(bytes, *length);
  return bytes;
}

/* The header, JSON with a 0 behind it: of axiom_initialize the configuration. */
static inline char *axiom_header(void) {
  size_t length = axiom_params(NULL, 0);
  char *text = axiom_alloc(length + 1);
  if (text == NULL) return NULL;
  axiom_params(text, length);
  text[length] = 0;
  return text;
}

/* Where the string or the single character at `at` ends. */
static inline const char *axiom_json_skip(const char *at) {
  if (*at != '"') return at + 1;
  for (at++; *at != 0 && *at != '"'; at++)
    if (*at == '\\' && at[1] != 0) at++;
  return *at == 0 ? at : at + 1;
}

/* Where the value of `key` begins in the object itself, not in one inside it; NULL where there is none. */
static inline const char *axiom_json_value(const char *json, const char *key) {
  size_t length = strlen(key);
  int depth = 0;
  for (const char *at = json; at != NULL && *at != 0;) {
    const char *end = axiom_json_skip(at);
    bool is_key = depth == 1 && *at == '"' && *end == ':';
    if (is_key && (size_t)(end - at) == length + 2 && memcmp(at + 1, key, length) == 0) return end + 1;
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at = end;
  }
  return NULL;
}

/* An integer of the header, `otherwise` where there is none. */
static inline int64_t axiom_json_integer(const char *json, const char *key, int64_t otherwise) {
  const char *value = axiom_json_value(json, key);
  if (value == NULL || (*value != '-' && (*value < '0' || *value > '9'))) return otherwise;
  return strtoll(value, NULL, 10);
}

/* A string of the header; NULL where there is none. What the host escapes as \uXXXX below 0x80 is read. */
static inline char *axiom_json_string(const char *json, const char *key) {
  const char *value = axiom_json_value(json, key);
  if (value == NULL || *value != '"') return NULL;
  const char *end = axiom_json_skip(value);
  char *text = axiom_alloc((size_t)(end - value)), *to = text;
  if (text == NULL) return NULL;
  for (const char *at = value + 1; at < end - 1; at++) {
    if (*at != '\\') {
      *to++ = *at;
      continue;
    }
    at++;
    if (*at == 'u') {
      char digits[5] = {at[1], at[2], at[3], at[4], 0};
      long code = strtol(digits, NULL, 16);
      *to++ = code < 0x80 ? (char)code : '?';
      at += 4;
    } else {
      *to++ = *at == 'n' ? '\n' : *at == 't' ? '\t' : *at == 'r' ? '\r' : *at == 'b' ? '\b' : *at == 'f' ? '\f' : *at;
    }
  }
  *to = 0;
  return text;
}

/* The texts one after the other; the last argument is NULL. */
static inline char *axiom_join(const char *first, ...) {
  size_t length = 0;
  va_list parts;
  va_start(parts, first);
  for (const char *part = first; part != NULL; part = va_arg(parts, const char *)) length += strlen(part);
  va_end(parts);
  char *text = axiom_alloc(length + 1), *to = text;
  if (text == NULL) return NULL;
  va_start(parts, first);
  for (const char *part = first; part != NULL; part = va_arg(parts, const char *)) {
    size_t n = strlen(part);
    memcpy(to, part, n);
    to += n;
  }
  va_end(parts);
  *to = 0;
  return text;
}

/* A text as JSON, with its quotes. */
static inline char *axiom_quoted(const char *text) {
  static const char HEX[] = "0123456789abcdef";
  char *json = axiom_alloc(6 * strlen(text) + 3), *to = json;
  if (json == NULL) return NULL;
  *to++ = '"';
  for (; *text != 0; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20) {
      memcpy(to, "\\u00", 4);
      to[4] = HEX[c >> 4];
      to[5] = HEX[c & 15];
      to += 6;
      continue;
    }
    if (c == '"' || c == '\\') *to++ = '\\';
    *to++ = (char)c;
  }
  *to++ = '"';
  *to = 0;
  return json;
}

static inline char *axiom_decimal(int64_t number) {
  char *text = axiom_alloc(24), *to;
  if (text == NULL) return NULL;
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  to = text + 23;
  *to = 0;
  do *--to = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (number < 0) *--to = '-';
  return to;
}

typedef struct {
  int32_t error; /* a class where there was no response, else 0 */
  int32_t status;
  char *header; /* JSON with `status` and `headers` */
  uint8_t *body;
  size_t length;
} axiom_response;

/* Capability net.http. `request` is JSON with `method`, `url` and `headers`; a body of more than `most` bytes is cut there. */
static inline axiom_response axiom_http(const char *request, const void *body, size_t length, size_t most) {
  axiom_response response = {0};
  response.error = axiom_http_send(request, strlen(request), body, length);
  if (response.error != 0) return response;
  size_t size = axiom_http_response(NULL, 0);
  response.header = axiom_alloc(size + 1);
  response.body = axiom_alloc(most);
  if (response.header == NULL || response.body == NULL) {
    response.error = AXIOM_QUOTA;
    return response;
  }
  axiom_http_response(response.header, size);
  response.header[size] = 0;
  response.status = (int32_t)axiom_json_integer(response.header, "status", 0);
  for (size_t n; (n = axiom_http_read(response.body + response.length, most - response.length)) != 0;) response.length += n;
  return response;
}

AXIOM_EXPORT("axiom_abi_1") int32_t axiom_abi_1(void) { return 0; }
AXIOM_EXPORT("initialize") int32_t axiom_export_initialize(void) {
  axiom_alloc(0);
  int32_t answer = axiom_initialize();
  axiom_arena_kept = axiom_arena_used;
  return answer;
}
AXIOM_EXPORT("validate") int32_t axiom_export_validate(void) { return 0; }
AXIOM_EXPORT("execute") int32_t axiom_export_execute(void) {
  int32_t answer = axiom_execute(axiom_operation());
  axiom_arena_used = axiom_arena_kept;
  return answer;
}
AXIOM_EXPORT("teardown") int32_t axiom_export_teardown(void) { return 0; }

#endif
