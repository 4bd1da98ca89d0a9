// _template: copy this folder to impls/<your-name>, and change what says "yours". It is a working
// backend: fibers that switch by ucontext, the portable way. The build compiles and tests it with
// the others, but does not measure it.
//
// Three kinds of backend exist; start from the one that is nearest to yours:
//   a stack of its own, another switch   this file; switch.h is all there is to write
//   a stack of its own, another storage  impls/fiber-small: set CO_STACK_BYTES, or replace
//   common/stack_pool.h no stack                             impls/stackless-leaf: choose storage
//   and resume, or write another resume_*.h
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

// The version of the contract that this was written for: a number, never the macro's name.
// Required.
#define CO_BACKEND_CONTRACT 1

// The folder's name; it becomes the name in every table. Required: yours.
#define CO_BACKEND_NAME "_template"

// "thread", "fiber", "stackless", "poll", "peer" or "twin": its colour in the plots. Required:
// yours.
#define CO_BACKEND_FAMILY "fiber"

// The technique in one line, for `corobench list`. Required: yours.
#define CO_BACKEND_SUMMARY "the tutorial: 64 KiB stacks, switched by ucontext"

// What it claims, and so what the conformance kit tests. Claim less at first: a cell that needs
// what is not claimed says "not claimed", which is no failure. Required: yours.
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_FP_CONTROL | CO_CAP_MIGRATES)

// Usable bytes of a stack, and how many are mapped at a time. Required by common/stack_pool.h:
// yours.
#define CO_STACK_BYTES (64 << 10)
#define CO_STACK_BATCH 64

// How a stack is entered and left. Not required: without these two lines you get the inline
// assembly switch.
#define CO_OWN_SWITCH 1
#include "switch.h"

// The text of bodies, handlers, creation, close, the library's table. Required: one of the files in
// impls/common, or your own definition of every macro that corobench/coro.h lists.
#include "common/fiber.h"

// Refuses a backend that forgot something. Required, last.
#include "corobench/coro_check.h"
#endif
