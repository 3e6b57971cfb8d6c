/* Writes APRT files: the values of one stage of a forward pass. C99, no library but C's own.

   aprt_write("capture/layer-3/ffn_out.bin", values, count, 3);
   aprt_write("capture/lm_head.bin", values, count, APRT_WHOLE_MODEL);

   The folder has to be there. 0 is success; anything else is what went wrong, and then no file is left. */

#ifndef APRT_H
#define APRT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define APRT_WHOLE_MODEL UINT32_C(0xFFFFFFFF)

enum { APRT_OK = 0, APRT_TOO_MANY = 1, APRT_NOT_WRITTEN = 2 };

typedef char aprt_float_has_32_bits[sizeof(float) == 4 ? 1 : -1];

static inline void aprt_word(unsigned char *bytes, uint32_t word) {
    bytes[0] = (unsigned char)(word & 0xFF);
    bytes[1] = (unsigned char)(word >> 8 & 0xFF);
    bytes[2] = (unsigned char)(word >> 16 & 0xFF);
    bytes[3] = (unsigned char)(word >> 24 & 0xFF);
}

/* The values as they are, bit for bit, whatever the order of bytes of the machine. */
static inline int aprt_write(const char *path, const float *values, uint64_t count, uint32_t layer) {
    unsigned char bytes[4096] = {'A', 'P', 'R', 'T'};
    size_t used = 12;
    int failed;
    FILE *file;

    if (count > UINT32_C(0xFFFFFFFF)) return APRT_TOO_MANY;
    if ((file = fopen(path, "wb")) == NULL) return APRT_NOT_WRITTEN;
    aprt_word(bytes + 4, layer);
    aprt_word(bytes + 8, (uint32_t)count);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t word;
        if (used == sizeof bytes) {
            if (fwrite(bytes, 1, used, file) != used) break;
            used = 0;
        }
        memcpy(&word, values + i, 4); /* a copy as float may make a signalling NaN quiet */
        aprt_word(bytes + used, word);
        used += 4;
    }
    failed = fwrite(bytes, 1, used, file) != used || ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed) remove(path);
    return failed ? APRT_NOT_WRITTEN : APRT_OK;
}

#endif
