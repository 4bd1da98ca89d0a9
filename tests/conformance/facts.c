// The facts of the backend under test.
#include <backend.h>
#include "kit.h"

#ifdef __cplusplus
extern "C"
#endif
    const struct kit_facts kit_facts;
const struct kit_facts kit_facts = {CO_BACKEND_NAME, CO_BACKEND_CAPS, CO_CHECKED};
