/* The reference library of Zstandard as one unit, from the crate that sources/Cargo.lock pins. What this writes is what the
 * program itself writes: one frame with its content size and without a checksum. */
#define DEBUGLEVEL 0
#define XXH_NAMESPACE ZSTD_
#define XXH_PRIVATE_API
#define XXH_INLINE_ALL
#define ZSTD_DISABLE_ASM 1
#define ZSTD_LEGACY_SUPPORT 0
#define ZSTD_TRACE 0
#define ZSTD_STATIC_LINKING_ONLY
#define ZSTD_DEPS_NEED_MALLOC

#include "zstd-sys/zstd/lib/common/debug.c"
#include "zstd-sys/zstd/lib/common/entropy_common.c"
#include "zstd-sys/zstd/lib/common/error_private.c"
#include "zstd-sys/zstd/lib/common/fse_decompress.c"
#include "zstd-sys/zstd/lib/common/zstd_common.c"
#include "zstd-sys/zstd/lib/compress/fse_compress.c"
#include "zstd-sys/zstd/lib/compress/hist.c"
#include "zstd-sys/zstd/lib/compress/huf_compress.c"
#include "zstd-sys/zstd/lib/compress/zstd_compress.c"
#include "zstd-sys/zstd/lib/compress/zstd_compress_literals.c"
#include "zstd-sys/zstd/lib/compress/zstd_compress_sequences.c"
#include "zstd-sys/zstd/lib/compress/zstd_compress_superblock.c"
#include "zstd-sys/zstd/lib/compress/zstd_double_fast.c"
#include "zstd-sys/zstd/lib/compress/zstd_fast.c"
#include "zstd-sys/zstd/lib/compress/zstd_lazy.c"
#include "zstd-sys/zstd/lib/compress/zstd_ldm.c"
#include "zstd-sys/zstd/lib/compress/zstd_opt.c"
#include "zstd-sys/zstd/lib/compress/zstd_preSplit.c"
#include "zstd-sys/zstd/lib/decompress/huf_decompress.c"
#include "zstd-sys/zstd/lib/decompress/zstd_ddict.c"
#include "zstd-sys/zstd/lib/decompress/zstd_decompress.c"
#include "zstd-sys/zstd/lib/decompress/zstd_decompress_block.c"

#include "axiom.h"

static void *take(void *opaque, size_t size) {
  (void)opaque;
  return axiom_alloc(size);
}

/* The end of the call takes all of it back, so that no call finds anything of another one. */
static void keep(void *opaque, void *address) {
  (void)opaque;
  (void)address;
}

static const ZSTD_customMem MEMORY = {take, keep, NULL};

int32_t axiom_initialize(void) { return 0; }

static int32_t failed(int32_t class, size_t code) {
  if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation) class = AXIOM_QUOTA;
  return axiom_fail(class, ZSTD_getErrorName(code));
}

static int32_t encode(const uint8_t *plain, size_t length, int level) {
  size_t capacity = ZSTD_compressBound(length);
  uint8_t *stored = axiom_alloc(capacity);
  ZSTD_CCtx *context = ZSTD_createCCtx_advanced(MEMORY);
  if (stored == NULL || context == NULL) return AXIOM_QUOTA;
  size_t code = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  if (ZSTD_isError(code)) return failed(AXIOM_INVALID_INPUT, code);
  code = ZSTD_compress2(context, stored, capacity, plain, length);
  return ZSTD_isError(code) ? failed(AXIOM_INTERNAL, code) : axiom_write(stored, code);
}

static int32_t decode(const uint8_t *stored, size_t length, size_t plain_length) {
  if (ZSTD_getFrameContentSize(stored, length) != plain_length) {
    return axiom_fail(AXIOM_CORRUPT_DATA, "it does not claim to hold what it should");
  }
  if (ZSTD_findFrameCompressedSize(stored, length) != length) {
    return axiom_fail(AXIOM_CORRUPT_DATA, "it is not exactly one frame");
  }
  uint8_t *plain = axiom_alloc(plain_length);
  ZSTD_DCtx *context = ZSTD_createDCtx_advanced(MEMORY);
  if (plain == NULL || context == NULL) return AXIOM_QUOTA;
  size_t code = ZSTD_decompressDCtx(context, plain, plain_length, stored, length);
  return ZSTD_isError(code) ? failed(AXIOM_CORRUPT_DATA, code) : axiom_write(plain, code);
}

int32_t axiom_execute(uint32_t operation) {
  if (operation != AXIOM_ENCODE && operation != AXIOM_DECODE) return AXIOM_UNSUPPORTED;
  size_t length;
  uint8_t *input = axiom_read_all(&length);
  if (input == NULL) return AXIOM_QUOTA;
  const char *header = axiom_header();
  if (operation == AXIOM_ENCODE) return encode(input, length, (int)axiom_json_integer(header, "level", 3));
  return decode(input, length, (size_t)axiom_json_integer(header, "plain_length", 0));
}
