// What the backend under test claims, for scenario_check.c, which is not compiled against backends.
#include <backend.h>

#ifdef __cplusplus
extern "C"
#endif
    const unsigned check_caps;
const unsigned check_caps = CO_BACKEND_CAPS;
