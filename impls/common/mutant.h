// Deliberate mistakes: what the mutation self-test of the conformance kit plants in a backend.
//
// A build with -DCO_MUTANT=<name> makes one mistake, and the kit must notice it; every other build
// sees no trace of this file. Preprocessor only, so that assembly may include it as well.
//
//   drop_register      a switch forgets one callee-saved register
//   drop_control       a switch forgets the floating-point control words
//   misalign           a body starts on a stack that is not aligned to 16 bytes
//   no_guard           a stack has no guard, though one was asked for
//   guard_believed     MADV_GUARD_INSTALL is not proven to guard
//   guard_optional     a stack whose guard the kernel refuses is handed out
//   guards_run_out     stacks have none beyond the number that the kernel's default allows
//   keep_pages         a stack that was used deeply keeps its pages
//   unprobed           a body's large frame is not touched page by page (a mistake in its flags)
//   lose_sent          what a resume sends in does not reach the yield
//   leaf_not_moved     the coroutine does not note that another frame is the leaf now
//   call_not_linked    a callee that suspends while it runs as a C call has no caller afterwards
//   tag_not_changed    a return enters the caller's frame with the callee's body
//   skip_cleanup       close does not run CO_FINALLY
//   below_stack        a switch keeps a word below the red zone for a while
//   wakes_once         a thread takes any wake-up for its turn
//   any_thread         a parked thread is taken whatever the size of its stack
//   keeps_modes        a parked thread keeps its last body's control words
//   lost_in_fork       the child of a fork has not got the stacks
//   leak_on_failure    memory got before the allocation that failed is not given back
//   silent_failure     CO_E_NOMEM comes without a reason
//   copy_short         the lowest bytes of a stack are not copied out
//   skip_copy          a stack is not copied in again
//   keep_box           a callee's frame beside its caller's is not given back when the call ends
//   leave_owned        a control block is copied out with a stack, its owner being in place
//   misalign_call      a C function called on another stack finds it not aligned to 16 bytes
//   keep_limit         a switch leaves the stack limit of prologues where it was
//   keep_segment       a switch does not notice that the stack has another segment now
//   pending_is_item    a coroutine that waits answers as if it had yielded
//   jump_keeps_limit   a jump to a handler on an earlier segment does so
//   keep_locals        a step that suspends does not store its locals
//   link_to_locals     a coroutine among a body's own locals is awaited by its address
//   lose_waiting       what a body yielded when it was created does not reach the first resume
//   keep_link          the link to the innermost coroutine outlives that one
//
// The names are listed once more, with the backends they apply to and the checks that must catch
// them, in tests/conformance/mutants.cmake.
#ifndef CO_MUTANT_H
#define CO_MUTANT_H

// CO_MUTATE(lose_sent, normal, mutated): `normal`, unless the build's mutant is the one named.
// Text that contains a comma goes in parentheses.
#ifdef CO_MUTANT
#define CO_MUTANT_IS_drop_register_drop_register ~, 1
#define CO_MUTANT_IS_drop_control_drop_control ~, 1
#define CO_MUTANT_IS_misalign_misalign ~, 1
#define CO_MUTANT_IS_no_guard_no_guard ~, 1
#define CO_MUTANT_IS_guard_believed_guard_believed ~, 1
#define CO_MUTANT_IS_guard_optional_guard_optional ~, 1
#define CO_MUTANT_IS_guards_run_out_guards_run_out ~, 1
#define CO_MUTANT_IS_keep_pages_keep_pages ~, 1
#define CO_MUTANT_IS_unprobed_unprobed ~, 1
#define CO_MUTANT_IS_lose_sent_lose_sent ~, 1
#define CO_MUTANT_IS_leaf_not_moved_leaf_not_moved ~, 1
#define CO_MUTANT_IS_call_not_linked_call_not_linked ~, 1
#define CO_MUTANT_IS_tag_not_changed_tag_not_changed ~, 1
#define CO_MUTANT_IS_skip_cleanup_skip_cleanup ~, 1
#define CO_MUTANT_IS_below_stack_below_stack ~, 1
#define CO_MUTANT_IS_wakes_once_wakes_once ~, 1
#define CO_MUTANT_IS_any_thread_any_thread ~, 1
#define CO_MUTANT_IS_keeps_modes_keeps_modes ~, 1
#define CO_MUTANT_IS_lost_in_fork_lost_in_fork ~, 1
#define CO_MUTANT_IS_leak_on_failure_leak_on_failure ~, 1
#define CO_MUTANT_IS_silent_failure_silent_failure ~, 1
#define CO_MUTANT_IS_copy_short_copy_short ~, 1
#define CO_MUTANT_IS_skip_copy_skip_copy ~, 1
#define CO_MUTANT_IS_keep_box_keep_box ~, 1
#define CO_MUTANT_IS_leave_owned_leave_owned ~, 1
#define CO_MUTANT_IS_misalign_call_misalign_call ~, 1
#define CO_MUTANT_IS_keep_limit_keep_limit ~, 1
#define CO_MUTANT_IS_keep_segment_keep_segment ~, 1
#define CO_MUTANT_IS_pending_is_item_pending_is_item ~, 1
#define CO_MUTANT_IS_jump_keeps_limit_jump_keeps_limit ~, 1
#define CO_MUTANT_IS_keep_locals_keep_locals ~, 1
#define CO_MUTANT_IS_link_to_locals_link_to_locals ~, 1
#define CO_MUTANT_IS_lose_waiting_lose_waiting ~, 1
#define CO_MUTANT_IS_keep_link_keep_link ~, 1

#define CO_MUTANT_SECOND_(a, b, ...) b
#define CO_MUTANT_TEST_(...) CO_MUTANT_SECOND_(__VA_ARGS__, 0, ~)
#define CO_MUTANT_PAIR_(name, mutant) CO_MUTANT_TEST_(CO_MUTANT_IS_##name##_##mutant)
#define CO_MUTANT_PAIR(name, mutant) CO_MUTANT_PAIR_(name, mutant)
#define CO_MUTANT_PICK_0(normal, mutated) normal
#define CO_MUTANT_PICK_1(normal, mutated) mutated
#define CO_MUTANT_PICK_(yes, normal, mutated) CO_MUTANT_PICK_##yes(normal, mutated)
#define CO_MUTANT_PICK(yes, normal, mutated) CO_MUTANT_PICK_(yes, normal, mutated)
#define CO_MUTATE(name, normal, mutated)                                                           \
    CO_MUTANT_PICK(CO_MUTANT_PAIR(name, CO_MUTANT), normal, mutated)
#else
#define CO_MUTATE(name, normal, mutated) normal
#endif

#endif
