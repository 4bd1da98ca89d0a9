// The parameters of a cell: "key=value" joined by ';', keys sorted.
#ifndef CB_BENCH_PARAMS_H
#define CB_BENCH_PARAMS_H

#include "corobench/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CB_PARAMS_KEYS 16
#define CB_PARAMS_TEXT 256

struct cb_params {
    char text[CB_PARAMS_TEXT]; // as it was written
    char cut[CB_PARAMS_TEXT];  // the same, each key and value ended by a zero byte
    size_t count;
    const char *key[CB_PARAMS_KEYS]; // into cut
    const char *value[CB_PARAMS_KEYS];
};

// Reads `text`; the empty string has no parameters. A key is a lower-case letter followed by
// lower-case letters, digits, '_' or '-'; a value is one or more letters, digits, '_', '-' or '.'.
// Keys are in ascending byte order and occur once. Returns true, or false with the reason in `why`.
// The result points into itself: it must not be copied by assignment.
bool cb_params_parse(struct cb_params *params, const char *text, char *why, size_t why_size);

// The text that a key has, or `absent` where the key is not there.
const char *cb_param_text(const struct cb_params *params, const char *key, const char *absent);

#ifdef __cplusplus
}
#endif

#endif
