// The facts about one backend as one compiler built it. The build compiles this file once for each
// backend and compiler, as C or as C++ (whatever the backend's header needs), with CB_FLAGS_TEXT,
// CB_BUILD_TYPE (strings), CB_LINK (a number) and, where known, CB_SOURCE_LINES,
// CB_SOURCE_ASM_LINES, CB_SOURCE_TEXT_BYTES and CB_LOOP_FACTS.
#include <backend.h>

#include "facts.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

#if defined(__clang__)
#define COMPILER "clang"
#define COMPILER_VERSION                                                                           \
    TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#elif defined(__GNUC__)
#define COMPILER "gcc"
#define COMPILER_VERSION TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#else
#error "corobench knows gcc and clang only"
#endif

#if defined(__cplusplus)
#if __cplusplus > 202002L
#define LANGUAGE "C++23"
#elif __cplusplus >= 201709L
#define LANGUAGE "C++20"
#else
#define LANGUAGE "C++17"
#endif
#elif __STDC_VERSION__ > 201710L
#define LANGUAGE "C23"
#else
#define LANGUAGE "C17"
#endif

#ifndef CB_FLAGS_TEXT
#error "the build must pass CB_FLAGS_TEXT: the flags that the backend's bodies are compiled with"
#endif
#ifndef CB_BUILD_TYPE
#error "the build must pass CB_BUILD_TYPE: CMAKE_BUILD_TYPE as a string"
#endif
#ifndef CB_LINK
#define CB_LINK 0
#endif
#ifndef CB_SOURCE_LINES
#define CB_SOURCE_LINES -1
#endif
#ifndef CB_SOURCE_ASM_LINES
#define CB_SOURCE_ASM_LINES -1
#endif
#ifndef CB_SOURCE_TEXT_BYTES
#define CB_SOURCE_TEXT_BYTES -1
#endif

#ifdef CO_BACKEND_ENVIRONMENT
static const struct cb_env environment[] = CO_BACKEND_ENVIRONMENT;
#define ENVIRONMENT environment
#define ENVIRONMENT_COUNT (sizeof environment / sizeof environment[0])
#else
#define ENVIRONMENT NULL
#define ENVIRONMENT_COUNT 0
#endif

#ifndef CO_BACKEND_VARIANT_OF
#define CO_BACKEND_VARIANT_OF ""
#endif

#ifdef CB_LOOP_FACTS
static const struct cb_loop_facts loops[] = CB_LOOP_FACTS;
#define LOOPS loops
#define LOOP_COUNT (sizeof loops / sizeof loops[0])
#else
#define LOOPS NULL
#define LOOP_COUNT 0
#endif

#ifdef __OPTIMIZE__
#define OPTIMISED true
#else
#define OPTIMISED false
#endif

// In the order of the struct, without designators, so that every C++ takes it too.
const struct cb_backend_facts cb_backend_facts = {
    CO_BACKEND_NAME,
    CO_BACKEND_FAMILY,
    CO_BACKEND_SUMMARY,
    CO_BACKEND_VARIANT_OF,
    (unsigned)(CO_BACKEND_CAPS),
    CO_BACKEND_CONTRACT,
    COMPILER,
    COMPILER_VERSION,
    CB_FLAGS_TEXT,
    LANGUAGE,
    CB_BUILD_TYPE,
    CB_LINK,
    CO_CHECKED != 0,
    OPTIMISED,
    ENVIRONMENT,
    ENVIRONMENT_COUNT,
    CB_SOURCE_LINES,
    CB_SOURCE_ASM_LINES,
    CB_SOURCE_TEXT_BYTES,
    LOOPS,
    LOOP_COUNT,
};
